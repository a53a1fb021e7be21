use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use ort::session::Session;
use ort::value::Tensor;
use prost::Message;

use super::super::checkpoint::tests::{Saved, saved};
use super::super::onnx_file::{FLOAT, ModelFile};
use super::*;
use crate::error::ErrorKind;
use crate::model::{Span, Timestamp};
use crate::onnx::{RuntimeOptions, open_for_any_length};
use crate::source::{FileSource, Source};
use crate::testing::testdata;
use crate::track::{FaceTracker, OnnxTracker, OnnxTrackerOptions, Tracking};

const ORIGIN: Origin = Origin { url: "https://example.org/pretrain_AVA.model", sha256: "85e6" };

/// A convolution of the authors' network: the keys of its weights and of its normalisation, and the
/// shape of the weights.
type Normalised = (String, String, Vec<usize>);

/// The normalised convolutions of the authors' network, in the order in which they run.
fn normalised() -> [Vec<Normalised>; 3] {
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for (block, inputs, outputs) in [("block1", 1, 32), ("block2", 32, 64), ("block3", 64, 128)] {
        let half = outputs / 2;
        let mut add = |part: usize, encoder: &str, layer: &str, shape: &[usize]| {
            let (kind, number) = layer.split_once('_').unwrap();
            let block = format!("model.{encoder}.{block}");
            parts[part].push((format!("{block}.{layer}"), format!("{block}.{kind}_norm_{number}"), shape.to_vec()));
        };
        add(0, "audioEncoder", "m_1", &[half, inputs, 5, 1]);
        add(0, "audioEncoder", "m_2", &[outputs, half, 3, 1]);
        add(0, "audioEncoder", "t_1", &[outputs, outputs, 1, 5]);
        add(0, "audioEncoder", "t_2", &[outputs, outputs, 1, 3]);
        add(1, "visualEncoder", "s_1", &[half, inputs, 1, 5, 5]);
        add(1, "visualEncoder", "s_2", &[outputs, half, 1, 3, 3]);
        add(1, "visualEncoder", "t_1", &[outputs, outputs, 5, 1, 1]);
        add(1, "visualEncoder", "t_2", &[outputs, outputs, 3, 1, 1]);
    }
    for (name, width) in [("model.fusion", 256), ("model.detector.attention", 128)] {
        parts[2].push((format!("{name}.attention"), format!("{name}.bn"), vec![width, width, 1]));
    }
    parts
}

/// The other tensors of the authors' network, with their shapes.
fn others() -> Vec<(String, Vec<usize>)> {
    let unit = |unit: &str| {
        [("weight_ih_l0", vec![192, 256]), ("weight_hh_l0", vec![192, 64]), ("bias_ih_l0", vec![192]), ("bias_hh_l0", vec![192])]
            .map(|(name, shape)| (format!("model.detector.gru_{unit}.{name}"), shape))
    };
    let head = |name: &str| [(format!("{name}.FC.weight"), vec![2, 128]), (format!("{name}.FC.bias"), vec![2])];
    [unit("forward").to_vec(), unit("backward").to_vec(), head("lossAV").to_vec(), head("lossV").to_vec()].concat()
}

/// Random values of both signs, not too near to 0.
fn values(random: &mut fastrand::Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| (0.25 + random.f32()) * if random.bool() { 1.0 } else { -1.0 }).collect()
}

/// The four tensors of a normalisation with random values.
fn normalisation(random: &mut fastrand::Rng, key: &str, outputs: usize) -> [Saved; 4] {
    let tensor = |name: &str, values: Vec<f32>| (format!("{key}.{name}"), vec![outputs], values);
    let variance = (0..outputs).map(|_| 0.05 + 2.0 * random.f32()).collect();
    [
        tensor("weight", values(random, outputs)),
        tensor("bias", values(random, outputs)),
        tensor("running_mean", values(random, outputs)),
        tensor("running_var", variance),
    ]
}

/// All tensors of the network, with random values.
fn random_tensors() -> Vec<Saved> {
    let mut random = fastrand::Rng::with_seed(14);
    let mut tensors = Vec::new();
    for (convolution, norm, shape) in normalised().into_iter().flatten() {
        tensors.extend(normalisation(&mut random, &norm, shape[0]));
        tensors.push((format!("{convolution}.weight"), shape.clone(), values(&mut random, shape.iter().product())));
    }
    for (key, shape) in others() {
        tensors.push((key, shape.clone(), values(&mut random, shape.iter().product())));
    }
    tensors
}

/// A checkpoint of the authors' network with random weights.
pub(in crate::weights) fn random_checkpoint() -> Vec<u8> {
    saved(&random_tensors())
}

/// The same without one of its tensors.
pub(in crate::weights) fn checkpoint_without(key: &str) -> Vec<u8> {
    let mut tensors = random_tensors();
    tensors.retain(|tensor| tensor.0 != key);
    saved(&tensors)
}

fn made(checkpoint: &[u8]) -> BTreeMap<&'static str, Vec<u8>> {
    convert(&Context::new(), checkpoint, &ORIGIN).unwrap().into_iter().collect()
}

#[test]
fn the_licence_and_the_origin_go_with_the_weights() {
    let files = made(&random_checkpoint());
    assert_eq!(files.keys().copied().collect::<Vec<_>>(), ["LICENSE", "audio_frontend.onnx", "av_backend.onnx", "visual_frontend.onnx"]);
    assert!(String::from_utf8_lossy(&files["LICENSE"]).contains("Copyright (c) 2025 Liao Junhua"));
    for name in Conversion::LrAsd.files() {
        let text = String::from_utf8_lossy(&files[name]).into_owned();
        assert!(text.contains(ORIGIN.url) && text.contains(ORIGIN.sha256) && text.contains("Liao Junhua"), "{name}");
    }
}

#[test]
fn each_tensor_that_is_missing_or_of_another_shape_is_named() {
    let tensors = random_tensors();
    for key in [
        "model.audioEncoder.block1.m_1.weight",
        "model.visualEncoder.block3.t_norm_2.running_var",
        "model.fusion.bn.bias",
        "model.detector.gru_backward.weight_hh_l0",
        "lossAV.FC.bias",
    ] {
        let mut fewer = tensors.clone();
        fewer.retain(|tensor| tensor.0 != key);
        assert_eq!(fewer.len() + 1, tensors.len());
        let error = convert(&Context::new(), &saved(&fewer), &ORIGIN).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&format!("{key} is missing")), "{error}");

        let mut other = tensors.clone();
        let changed = other.iter_mut().find(|tensor| tensor.0 == key).unwrap();
        changed.1.insert(0, 1);
        let error = convert(&Context::new(), &saved(&other), &ORIGIN).unwrap_err();
        assert!(error.to_string().contains(&format!("{key} has the shape [1, ")), "{error}");
    }
    // What the network needs for its training only.
    assert!(convert(&Context::new(), &checkpoint_without("lossV.FC.weight"), &ORIGIN).is_ok());
}

#[test]
fn a_cancelled_conversion_ends() {
    let cx = Context::new();
    cx.cancel();
    assert!(convert(&cx, &random_checkpoint(), &ORIGIN).unwrap_err().is_cancelled());
}

#[test]
fn a_normalisation_is_folded_into_the_weights() {
    let tensor = |key: &str, values: &[f32]| (key.to_owned(), vec![values.len()], values.to_vec());
    let mut tensors = vec![
        ("c.weight".to_owned(), vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]),
        tensor("n.weight", &[2.0, -1.0]),
        tensor("n.bias", &[0.5, 0.0]),
        tensor("n.running_mean", &[3.0, 1.0]),
        tensor("n.running_var", &[0.249, 3.999]),
    ];
    let bytes = saved(&tensors);
    let layer = Layers::new(Checkpoint::open(&bytes).unwrap()).normalised("c", "n", &[2, 2]).unwrap();
    // The factors are 2 / 0.5 and -1 / 2.
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5) && a.len() == b.len();
    assert!(near(&layer.weights, &[4.0, 8.0, -1.5, -2.0]) && near(&layer.bias, &[-11.5, 0.5]), "{layer:?}");
    tensors[4].2[1] = -1.0;
    let bytes = saved(&tensors);
    let error = Layers::new(Checkpoint::open(&bytes).unwrap()).normalised("c", "n", &[2, 2]).unwrap_err();
    assert!(error.to_string().contains("no numbers"), "{error}");
}

#[test]
fn gates_are_put_into_the_order_of_onnx() {
    let gates = |from: usize, width: usize| -> Vec<f32> { (0..192 * width).map(|n| (from + n / (64 * width)) as f32).collect() };
    let mut tensors = Vec::new();
    for (unit, from) in [("f", 0), ("b", 10)] {
        for (name, shape) in
            [("weight_ih_l0", vec![192, 2]), ("weight_hh_l0", vec![192, 64]), ("bias_ih_l0", vec![192]), ("bias_hh_l0", vec![192])]
        {
            let width = shape.get(1).copied().unwrap_or(1);
            tensors.push((format!("{unit}.{name}"), shape, gates(from, width)));
        }
    }
    let bytes = saved(&tensors);
    let unit = Layers::new(Checkpoint::open(&bytes).unwrap()).recurrent("f", "b", 2).unwrap();
    let runs = |values: &[f32]| values.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect::<Vec<_>>();
    // Reset, update, new become update, reset, new.
    let order = [1.0, 0.0, 2.0, 11.0, 10.0, 12.0];
    assert_eq!(runs(&unit.input), order.map(|gate| (gate, 128)));
    assert_eq!(runs(&unit.state), order.map(|gate| (gate, 64 * 64)));
    assert_eq!(runs(&unit.bias), [1.0, 0.0, 2.0, 1.0, 0.0, 2.0, 11.0, 10.0, 12.0, 11.0, 10.0, 12.0].map(|gate| (gate, 64)));
}

fn reference() -> PathBuf {
    testdata().join("models/lr-asd")
}

/// The constants of a node's inputs after the first, by the node's operator.
fn constants(file: &str, operator: &str) -> Vec<Vec<Vec<f32>>> {
    let file = ModelFile::decode(&std::fs::read(reference().join(file)).unwrap()[..]).unwrap();
    let graph = file.graph.unwrap();
    let values = |name: &String| {
        let tensor = graph.tensors.iter().find(|tensor| tensor.name.as_ref() == Some(name)).unwrap();
        assert_eq!(tensor.element, Some(FLOAT));
        let values: Vec<f32> = tensor.bytes.as_ref().unwrap().as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        assert_eq!(values.len() as i64, tensor.shape.iter().product::<i64>());
        values
    };
    let nodes = graph.nodes.iter().filter(|node| node.operator.as_deref() == Some(operator));
    nodes.map(|node| node.inputs[1..].iter().map(values).collect()).collect()
}

/// A checkpoint of which the reference files can be made: random normalisations, and the weights
/// that give the reference's with them.
fn checkpoint_of_the_reference() -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut tensors: Vec<Saved> = Vec::new();
    for (file, layers) in Conversion::LrAsd.files().iter().zip(normalised()) {
        let folded = constants(file, "Conv");
        assert_eq!(folded.len(), layers.len());
        for ((convolution, norm, shape), folded) in layers.into_iter().zip(folded) {
            let mut of_norm = normalisation(&mut random, &norm, shape[0]);
            let (mut weights, bias) = (folded[0].clone(), &folded[1]);
            assert_eq!(weights.len(), shape.iter().product::<usize>(), "{convolution}");
            let row = weights.len() / shape[0];
            for (output, weights) in weights.chunks_exact_mut(row).enumerate() {
                let scale = f64::from(of_norm[0].2[output]) / (f64::from(of_norm[3].2[output]) + 1e-3).sqrt();
                weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) / scale) as f32);
                of_norm[1].2[output] = (f64::from(bias[output]) + f64::from(of_norm[2].2[output]) * scale) as f32;
            }
            tensors.extend(of_norm);
            tensors.push((format!("{convolution}.weight"), shape, weights));
        }
    }
    let unit = constants("av_backend.onnx", "GRU").remove(0);
    let head = constants("av_backend.onnx", "Gemm").remove(0);
    for (key, shape) in others() {
        let count: usize = shape.iter().product();
        let backward = usize::from(key.contains("backward"));
        // Update, reset, new become reset, update, new.
        let gates = |values: &[f32]| [&values[count / 3..2 * count / 3], &values[..count / 3], &values[2 * count / 3..]].concat();
        let part = |values: &[f32], parts: usize, part: usize| gates(&values[values.len() / parts * part..][..count]);
        let values = match key.rsplit('.').next().unwrap() {
            "weight_ih_l0" => part(&unit[0], 2, backward),
            "weight_hh_l0" => part(&unit[1], 2, backward),
            "bias_ih_l0" => part(&unit[2], 4, 2 * backward),
            "bias_hh_l0" => part(&unit[2], 4, 2 * backward + 1),
            "weight" => [vec![0.5; 128], head[0].clone()].concat(),
            _ => [vec![0.25], head[1].clone()].concat(),
        };
        tensors.push((key, shape, values));
    }
    saved(&tensors)
}

/// A folder with the files that are made of a checkpoint.
fn folder_of(checkpoint: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    made(checkpoint).into_iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

fn run(session: &mut Session, inputs: &[(&str, &[usize], &[f32])]) -> (Vec<i64>, Vec<f32>) {
    let tensor = |(name, shape, values): &(&str, &[usize], &[f32])| {
        ((*name).to_owned(), Tensor::from_array((shape.to_vec(), values.to_vec())).unwrap().into_dyn())
    };
    let inputs: Vec<_> = inputs.iter().map(tensor).collect();
    let outputs = session.run(inputs).unwrap();
    let (shape, values) = outputs[0].try_extract_tensor::<f32>().unwrap();
    (shape.to_vec(), values.to_vec())
}

/// The largest difference of what the files in two folders give for the same random input.
fn difference(folders: [&Path; 2], batch: usize, pictures: usize) -> f32 {
    let mut random = fastrand::Rng::with_seed((1000 * batch + pictures) as u64);
    let mut values = |count: usize, from: f32, to: f32| (0..count).map(|_| from + (to - from) * random.f32()).collect::<Vec<f32>>();
    let features = values(batch * 4 * pictures * 13, -20.0, 20.0);
    let faces = values(batch * pictures * 112 * 112, 0.0, 255.0);
    let runtime = RuntimeOptions { library: None, threads: 1 };
    let given = folders.map(|folder| {
        let [mut audio, mut visual, mut backend] = Conversion::LrAsd
            .files()
            .to_vec()
            .try_into()
            .map(|files: [&str; 3]| files.map(|file| open_for_any_length(&folder.join(file), &runtime).unwrap()))
            .unwrap();
        let (heard_shape, heard) = run(&mut audio, &[("audio_feature", &[batch, 4 * pictures, 13], &features)]);
        let (seen_shape, seen) = run(&mut visual, &[("visual_feature", &[batch, pictures, 112, 112], &faces)]);
        let shape = [batch, pictures, 128];
        assert_eq!((&heard_shape[..], &seen_shape[..]), (&shape.map(|size| size as i64)[..], &shape.map(|size| size as i64)[..]));
        let (score_shape, score) = run(&mut backend, &[("audio_embed", &shape, &heard), ("visual_embed", &shape, &seen)]);
        assert_eq!(score_shape, [(batch * pictures) as i64]);
        [heard, seen, score].concat()
    });
    let spread = given[0].iter().copied().fold(f32::MIN, f32::max) - given[0].iter().copied().fold(f32::MAX, f32::min);
    assert!(spread > 0.1, "{spread}");
    given[0].iter().zip(&given[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// `CLIPKIT_LRASD_CHECKPOINT` names the authors' checkpoint, or another one that `torch.save` wrote
/// with the weights of the reference. Without it, one is made.
#[test]
#[ignore = "needs CLIPKIT_TESTDATA"]
fn the_files_equal_those_that_were_made_by_hand() {
    let given = std::env::var_os("CLIPKIT_LRASD_CHECKPOINT");
    let checkpoint = given.map_or_else(checkpoint_of_the_reference, |path| std::fs::read(path).unwrap());
    let folder = folder_of(&checkpoint);
    for (batch, pictures) in [(1, 1), (1, 7), (1, 25), (3, 10)] {
        let difference = difference([&reference(), folder.path()], batch, pictures);
        println!("{batch} x {pictures} pictures: largest difference {difference:e}");
        assert!(difference <= 1e-5, "{batch} x {pictures} pictures: {difference:e}");
    }
    // Other weights give other results, so the comparison tells.
    let other = folder_of(&random_checkpoint());
    assert!(difference([&reference(), other.path()], 1, 7) > 1e-2);
}

#[tokio::test]
#[ignore = "needs CLIPKIT_TESTDATA"]
async fn two_real_faces_are_judged_as_with_the_files_made_by_hand() {
    let folder = folder_of(&checkpoint_of_the_reference());
    let video = folder.path().join("two.mp4");
    let face = |name: &str| testdata().join("media/faces").join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-t", "4", "-i"])
        .arg(face("WDA_KatieHill_000.mp4"))
        .args(["-t", "4", "-i"])
        .arg(face("WDA_AlexandriaOcasioCortez_000.mp4"))
        .args(["-filter_complex", "[0:v]scale=512:512,fps=25[a];[1:v]scale=512:512,fps=25[b];[a][b]hstack", "-map", "0:a"])
        .args(["-preset", "ultrafast", "-t", "4"])
        .arg(&video)
        .status();
    assert!(status.expect("ffmpeg is on the PATH").success());
    let cx = Context::new();
    let media = FileSource::new().fetch(&cx, video.to_str().unwrap()).await.unwrap();
    let span = Span::between(Timestamp::ZERO, media.duration);
    let tracking = Tracking { media, span };
    let mut judged = Vec::new();
    for model in [&reference(), folder.path()] {
        let mut options = OnnxTrackerOptions::default();
        options.speaker_model = Some(model.to_owned());
        let tracker = OnnxTracker::with_options(testdata().join("models/ultraface/version-RFB-320.onnx"), options).unwrap();
        let tracks = tracker.track(&cx, &tracking).await.unwrap();
        judged.push(tracks.faces.iter().flat_map(|face| &face.samples).map(|sample| sample.speaking).collect::<Vec<_>>());
    }
    let answers = judged[0].iter().flatten().count();
    assert!(answers >= 20, "{answers} of {}", judged[0].len());
    let pairs = || judged[0].iter().zip(&judged[1]);
    assert!(judged[0].len() == judged[1].len() && pairs().all(|(a, b)| a.is_some() == b.is_some()));
    let largest = pairs().filter_map(|(a, b)| Some((a.as_ref()? - b.as_ref()?).abs())).fold(0.0, f64::max);
    println!("{answers} answers: largest difference {largest:e}");
    assert!(largest <= 1e-5, "{largest:e}");
}
