use super::super::pixels::image;
use super::*;
use crate::testing::testdata;

#[test]
fn the_most_confident_box_of_each_face_stays() {
    let face = |x, confidence| Detection { rect: Rect::new(x, 0.1, 0.2, 0.2), confidence, landmarks: None };
    let kept = non_maximum_suppression(vec![face(0.1, 0.8), face(0.12, 0.9), face(0.5, 0.7)]);
    assert_eq!(kept, [face(0.12, 0.9), face(0.5, 0.7)]);
}

#[test]
fn a_yunet_cell_becomes_a_box() {
    // Cell 5 of a grid of 4 columns is in column 1, row 1. The box is two cells wide and centred in
    // the cell.
    let (mut score, mut place) = (vec![0.0; 16], vec![0.0; 64]);
    score[5] = 0.81;
    place[20..24].copy_from_slice(&[0.5, 0.5, 2.0_f32.ln(), 2.0_f32.ln()]);
    // The eyes are left and right, the mouth below, the nose in the middle.
    let mut landmarks = vec![0.0; 160];
    landmarks[50..60].copy_from_slice(&[0.0, 0.25, 1.0, 0.25, 0.5, 0.5, 0.25, 1.0, 0.75, 1.0]);
    let mut found = Vec::new();
    yunet_faces((32, 32), 8, (&score, &[1.0; 16]), &place, &landmarks, 0.6, &mut found);
    let [face] = found[..] else { panic!("{found:?}") };
    assert!((face.confidence - 0.9).abs() < 1e-6);
    for (value, expected) in [(face.rect.x, 0.125), (face.rect.y, 0.125), (face.rect.width, 0.5), (face.rect.height, 0.5)] {
        assert!((value - expected).abs() < 1e-6, "{face:?}");
    }
    assert_eq!(face.landmarks, Some([(0.25, 0.3125), (0.5, 0.3125), (0.375, 0.375), (0.3125, 0.5), (0.4375, 0.5)]));
}

#[test]
fn a_wide_picture_is_in_the_top_of_yunets_input() {
    let white = image(200, 100, vec![255; 3 * 200 * 100]);
    let (input, scale) = yunet_input(&white, 64, 64);
    assert_eq!(scale, (1.0, 2.0));
    assert!((input[31 * 64 + 63] - 255.0).abs() < 1e-3 && input[32 * 64] == 0.0);
}

fn load(path: &Path) -> RgbImage {
    let photograph = ::image::open(path).unwrap().to_rgb8();
    let (width, height) = photograph.dimensions();
    RgbImage { width, height, pixels: photograph.into_raw() }
}

/// The labelled boxes of each photograph, in pixels, from dlib's XML.
fn labelled(folder: &Path) -> Vec<(String, Vec<[f64; 4]>)> {
    let text = std::fs::read_to_string(folder.join("testing.xml")).unwrap();
    let value = |line: &str, name: &str| {
        let after = line.split(&format!("{name}='")).nth(1).unwrap();
        after.split('\'').next().unwrap().to_owned()
    };
    let mut photographs: Vec<(String, Vec<[f64; 4]>)> = Vec::new();
    for line in text.lines() {
        if line.contains("<image ") {
            photographs.push((value(line, "file"), Vec::new()));
        } else if line.contains("<box ") {
            let sides = ["left", "top", "width", "height"].map(|name| value(line, name).parse().unwrap());
            photographs.last_mut().unwrap().1.push(sides);
        }
    }
    photographs
}

/// The ONNX Runtime library must be installed where the system's loader finds it, or named by
/// `ORT_DYLIB_PATH`.
#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn both_models_find_every_labelled_face() {
    let folder = testdata().join("annotations/dlib_faces");
    for (model, most_others) in
        [("ultraface/version-RFB-320.onnx", 1), ("yunet/yunet_s_640_640.onnx", 5), ("yunet/yunet_s_dynamic.onnx", 5)]
    {
        let path = testdata().join("models").join(model);
        let mut detector = Detector::open(&path, &RuntimeOptions { library: None, threads: 1 }).unwrap();
        let (mut matched, mut labels, mut others) = (0, 0, 0);
        // The test data has only some of the labelled photographs.
        for (name, boxes) in labelled(&folder).into_iter().filter(|(name, _)| folder.join(name).exists()) {
            let picture = load(&folder.join(name));
            let (width, height) = (picture.columns() as f64, picture.rows() as f64);
            let faces = detector.detect(&picture, detector.default_confidence()).unwrap();
            let hits = boxes
                .iter()
                .filter(|[x, y, w, h]| {
                    let truth = Rect::new(x / width, y / height, w / width, h / height);
                    faces.iter().any(|face| face.rect.iou(truth) >= 0.35)
                })
                .count();
            matched += hits;
            labels += boxes.len();
            others += faces.len().saturating_sub(hits);
        }
        println!("{model}: {matched} of {labels}, {others} more");
        assert!(labels >= 20 && matched == labels, "{model}: {matched} of {labels}");
        assert!(others <= most_others, "{model}: {others} boxes are not of labelled faces");
    }
}

#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn another_model_is_refused_with_advice() {
    let path = testdata().join("models/silero-vad/silero_vad.onnx");
    let error = Detector::open(&path, &RuntimeOptions { library: None, threads: 1 }).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("version-RFB-320.onnx"), "{error}");
}
