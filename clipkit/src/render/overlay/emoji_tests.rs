use std::io::Cursor;

use image::ImageFormat;

use super::*;

const FIRE: &str = "🔥";
const ASTRONAUT: &str = "👩\u{200d}🚀";
const RED: [u8; 4] = [255, 0, 0, 128];
const BLUE: [u8; 4] = [0, 0, 255, 255];

fn png(color: [u8; 4]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::from_pixel(4, 2, Rgba(color)).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// A font with the glyphs of 🔥, 👩, the joiner, 🚀 and, as a ligature of the last three, that of
/// 👩‍🚀. The first one and the ligature have bitmaps.
fn font() -> Vec<u8> {
    let glyphs = 6_u16;
    let head = [words(&[1, 0, 0, 0, 0, 0, 0x5f0f, 0x3cf5, 0, 1000]), vec![0; 34]].concat();
    let hhea = [words(&[1, 0, 800, 0, 0, 1000]), vec![0; 22], words(&[1])].concat();
    let maxp = [words(&[0, 0x5000]), words(&[glyphs])].concat();
    let hmtx = [words(&[1000, 0]), vec![0; 2 * (usize::from(glyphs) - 1)]].concat();
    let groups: [(u32, u32); 4] = [(0x200d, 3), (0x1f469, 2), (0x1f525, 1), (0x1f680, 4)];
    let mut cmap = words(&[0, 1, 3, 10, 0, 12, 12, 0, 0, 16 + 12 * 4, 0, 0, 0, 4]);
    for (point, glyph) in groups {
        cmap.extend([point, point, glyph].iter().flat_map(|value| value.to_be_bytes()));
    }
    // One lookup of ligatures for the feature `ccmp` of the default script.
    let script = [b"DFLT".to_vec(), words(&[8, 4, 0, 0, 0xffff, 1, 0])].concat();
    let feature = [words(&[1]), b"ccmp".to_vec(), words(&[8, 0, 1, 0])].concat();
    // Format, coverage, one set; the coverage of glyph 2; the set with one ligature of three.
    let ligature = words(&[1, 8, 1, 14, 1, 1, 2, 1, 4, 5, 3, 3, 4]);
    let lookup = [words(&[1, 4, 4, 0, 1, 8]), ligature].concat();
    let script = [words(&[1]), script].concat();
    let (at_script, at_feature) = (10, 10 + script.len() as u16);
    let gsub = [words(&[1, 0, at_script, at_feature, at_feature + feature.len() as u16]), script, feature, lookup].concat();
    let images = [Vec::new(), png(RED), Vec::new(), Vec::new(), Vec::new(), png(BLUE)];
    let mut strike = words(&[20, 72]);
    let mut at = 4 + 4 * (u32::from(glyphs) + 1);
    let mut data = Vec::new();
    strike.extend(at.to_be_bytes());
    for image in images {
        if !image.is_empty() {
            data.extend([words(&[0, 0]), b"png ".to_vec(), image.clone()].concat());
            at += 8 + image.len() as u32;
        }
        strike.extend(at.to_be_bytes());
    }
    let sbix = [words(&[1, 1, 0, 1, 0, 12]), strike, data].concat();
    let tables = [(b"GSUB", gsub), (b"cmap", cmap), (b"head", head), (b"hhea", hhea), (b"hmtx", hmtx), (b"maxp", maxp), (b"sbix", sbix)];
    let mut directory = words(&[1, 0, tables.len() as u16, 0, 0, 0]);
    let (mut body, start) = (Vec::new(), 12 + 16 * tables.len());
    for (tag, table) in tables {
        directory.extend(tag);
        directory.extend([0, (start + body.len()) as u32, table.len() as u32].iter().flat_map(|value: &u32| value.to_be_bytes()));
        body.extend(table);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    [directory, body].concat()
}

#[test]
fn a_font_gives_single_emoji_and_sequences() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emoji.ttf");
    std::fs::write(&file, font()).unwrap();
    let (cx, file) = (Context::new(), file.to_str().unwrap());
    for (emoji, color) in [(FIRE, RED), (ASTRONAUT, BLUE)] {
        let picture = picture(&cx, emoji, Some(file)).unwrap();
        assert_eq!((picture.dimensions(), picture.get_pixel(1, 1).0), ((4, 2), color), "{emoji}");
    }
    for (emoji, part) in [("👩", "no color bitmap"), ("🚒", "no single glyph"), ("👩\u{200d}🚒", "no single glyph")] {
        let error = picture(&cx, emoji, Some(file)).unwrap_err();
        assert!(error.kind() == ErrorKind::Overlay && error.message().contains(part) && error.path().is_some(), "{emoji}: {error}");
    }
}

#[test]
fn a_folder_gives_images_by_their_code_points() {
    let folder = tempfile::tempdir().unwrap();
    for (name, color) in [("1f525.png", RED), ("1f469-200d-1f680.png", BLUE), ("emoji_u2764.png", RED), ("2600-fe0f.png", BLUE)] {
        std::fs::write(folder.path().join(name), png(color)).unwrap();
    }
    let from = folder.path().to_str().unwrap();
    let color = |emoji: &str| picture(&Context::new(), emoji, Some(from)).map(|picture| picture.get_pixel(0, 0).0);
    for (emoji, found) in [(FIRE, RED), (ASTRONAUT, BLUE), ("❤\u{fe0f}", RED), ("❤", RED), ("☀\u{fe0f}", BLUE)] {
        assert_eq!(color(emoji).unwrap(), found, "{emoji}");
    }
    let error = color("🚒").unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Overlay, Some(folder.path())));
    assert!(error.message().contains("1f692.png"), "{error}");
}

#[test]
fn what_is_no_font_is_an_error_with_path_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("font.ttf");
    std::fs::write(&file, "no font").unwrap();
    for from in [file, folder.path().join("none.ttf")] {
        let error = picture(&Context::new(), FIRE, from.to_str()).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Overlay, Some(from.as_path())), "{error}");
        assert!(error.advice().is_some());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(256))]
    #[test]
    fn a_damaged_font_is_read_or_refused(at in 0.0..1.0f64, bytes in proptest::collection::vec(0..=255_u8, 1..8), cut in 0.0..2.0f64) {
        let mut damaged = font();
        let start = (at * (damaged.len() - bytes.len()) as f64) as usize;
        damaged[start..start + bytes.len()].copy_from_slice(&bytes);
        damaged.truncate((cut * damaged.len() as f64) as usize);
        for emoji in [FIRE, ASTRONAUT] {
            let _ = of_font(&Context::new(), emoji, damaged.clone(), 0);
        }
    }
}
