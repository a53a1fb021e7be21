//! The graphs of LR-ASD's three parts. There are 25 pictures per second, and 4 frames of sound for
//! each.

use super::layers::{Layers, Recurrent};
use crate::error::Result;
use crate::weights::onnx_file::{Attribute, GraphWriter};

/// Values per picture, of the sound and of the face.
const EMBEDDING: usize = 128;
/// The side of a picture of a face, in pixels.
const SIDE: usize = 112;
/// The mean and the deviation of the brightness, 0 to 1, with which the network was trained.
const BRIGHTNESS: (f32, f32) = (0.4161, 0.1688);
/// The channels that the three blocks of a front end take and give.
const BLOCKS: [(&str, usize, usize); 3] = [("block1", 1, 32), ("block2", 32, 64), ("block3", 64, EMBEDDING)];

/// Keys and texts that are written into each file.
pub(super) type Notes<'n> = [(&'n str, &'n str)];

/// What a convolution runs over. The checkpoint's kernels of pictures have three sizes, of which
/// one is 1.
#[derive(Clone, Copy)]
enum Over {
    /// Coefficients and time.
    Sound,
    /// Height and width.
    Picture,
    /// Time, and the pixels of a picture one after the other.
    Time,
}

/// A convolution whose outputs are normalised and then cut at 0.
struct Convolution {
    /// The ends of the keys of the convolution and of its normalisation.
    keys: (&'static str, &'static str),
    over: Over,
    kernel: [usize; 2],
    stride: i64,
}

impl Convolution {
    const fn new(keys: (&'static str, &'static str), over: Over, kernel: [usize; 2]) -> Self {
        Convolution { keys, over, kernel, stride: 1 }
    }

    /// Adds the layer to the graph.
    fn add(
        &self,
        graph: &mut GraphWriter,
        layers: &mut Layers<'_>,
        of: &str,
        block: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<String> {
        let [height, width] = self.kernel;
        let shape = match self.over {
            Over::Sound => vec![outputs, inputs, height, width],
            Over::Picture => vec![outputs, inputs, 1, height, width],
            Over::Time => vec![outputs, inputs, height, width, 1],
        };
        let (convolution, normalisation) = self.keys;
        let layer = layers.normalised(&format!("{block}.{convolution}"), &format!("{block}.{normalisation}"), &shape)?;
        let weights = graph.floats(&[outputs, inputs, height, width], &layer.weights);
        let bias = graph.floats(&[outputs], &layer.bias);
        let sum = graph.node("Conv", &[of, &weights, &bias], window(self.kernel, [self.stride; 2]));
        Ok(graph.node("Relu", &[&sum], Vec::new()))
    }
}

/// The settings of a window of odd sizes that is moved over everything, the edges too.
fn window(sizes: [usize; 2], strides: [i64; 2]) -> Vec<Attribute> {
    let [height, width] = sizes.map(|size| size as i64);
    let (above, before) = (height / 2, width / 2);
    vec![
        Attribute::of_ints("kernel_shape", &[height, width]),
        Attribute::of_ints("pads", &[above, before, above, before]),
        Attribute::of_ints("strides", &strides),
    ]
}

fn transposed(graph: &mut GraphWriter, of: &str, order: &[i64]) -> String {
    graph.node("Transpose", &[of], vec![Attribute::of_ints("perm", order)])
}

fn reshaped(graph: &mut GraphWriter, of: &str, shape: &[i64]) -> String {
    let shape = graph.integers(shape);
    graph.node("Reshape", &[of, &shape], Vec::new())
}

/// Sound features, `[batch, 4 T, 13]`, to `[batch, T, 128]`.
pub(super) fn audio_frontend(layers: &mut Layers<'_>, notes: &Notes<'_>) -> Result<Vec<u8>> {
    const CONVOLUTIONS: [Convolution; 4] = [
        Convolution::new(("m_1", "m_norm_1"), Over::Sound, [5, 1]),
        Convolution::new(("m_2", "m_norm_2"), Over::Sound, [3, 1]),
        Convolution::new(("t_1", "t_norm_1"), Over::Sound, [1, 5]),
        Convolution::new(("t_2", "t_norm_2"), Over::Sound, [1, 3]),
    ];
    let mut graph = GraphWriter::new("audio_frontend");
    let features = graph.input("audio_feature", &["batch", "time_x4", "13"]);
    let channel = graph.integers(&[1]);
    let lifted = graph.node("Unsqueeze", &[&features, &channel], Vec::new());
    let mut value = transposed(&mut graph, &lifted, &[0, 1, 3, 2]);
    for (number, (block, inputs, outputs)) in BLOCKS.into_iter().enumerate() {
        if number > 0 {
            value = graph.node("MaxPool", &[&value], window([1, 3], [1, 2]));
        }
        let block = format!("model.audioEncoder.{block}");
        for (convolution, (inputs, outputs)) in CONVOLUTIONS.iter().zip(widths(inputs, outputs)) {
            value = convolution.add(&mut graph, layers, &value, &block, inputs, outputs)?;
        }
    }
    let over_coefficients = vec![Attribute::of_ints("axes", &[2]), Attribute::of_int("keepdims", 0)];
    let mean = graph.node("ReduceMean", &[&value], over_coefficients);
    let last = ("Transpose", &[&mean[..]][..], vec![Attribute::of_ints("perm", &[0, 2, 1])]);
    Ok(graph.finish(last, ("audio_embed", &["batch", "time", "128"]), notes))
}

/// What the four convolutions of a block take and give.
fn widths(inputs: usize, outputs: usize) -> [(usize, usize); 4] {
    [(inputs, outputs / 2), (outputs / 2, outputs), (outputs, outputs), (outputs, outputs)]
}

/// Grey pictures of 0 to 255, `[batch, T, 112, 112]`, to `[batch, T, 128]`.
pub(super) fn visual_frontend(layers: &mut Layers<'_>, notes: &Notes<'_>) -> Result<Vec<u8>> {
    const IN_PICTURES: [Convolution; 2] =
        [Convolution::new(("s_1", "s_norm_1"), Over::Picture, [5, 5]), Convolution::new(("s_2", "s_norm_2"), Over::Picture, [3, 3])];
    const IN_TIME: [Convolution; 2] =
        [Convolution::new(("t_1", "t_norm_1"), Over::Time, [5, 1]), Convolution::new(("t_2", "t_norm_2"), Over::Time, [3, 1])];
    let mut graph = GraphWriter::new("visual_frontend");
    let side = SIDE.to_string();
    let pictures = graph.input("visual_feature", &["batch", "time", &side, &side]);
    let batch_and_time = first_sizes(&mut graph, &pictures);
    // Pictures are seen one by one, whatever the batch.
    let mut value = reshaped(&mut graph, &pictures, &[-1, 1, SIDE as i64, SIDE as i64]);
    for (operator, by) in [("Div", 255.0), ("Sub", BRIGHTNESS.0), ("Div", BRIGHTNESS.1)] {
        let by = graph.floats(&[1], &[by]);
        value = graph.node(operator, &[&value, &by], Vec::new());
    }
    // The first convolution takes every second pixel.
    let mut side = SIDE as i64 / 2;
    for (number, (block, inputs, outputs)) in BLOCKS.into_iter().enumerate() {
        if number > 0 {
            value = transposed(&mut graph, &value, &[0, 2, 1, 3]);
            value = reshaped(&mut graph, &value, &[-1, inputs as i64, side, side]);
            value = graph.node("MaxPool", &[&value], window([3, 3], [2, 2]));
            side /= 2;
        }
        let block = format!("model.visualEncoder.{block}");
        let [first, second, third, fourth] = widths(inputs, outputs);
        for (convolution, (inputs, outputs)) in IN_PICTURES.iter().zip([first, second]) {
            let stride = if inputs == 1 { 2 } else { 1 };
            let convolution = Convolution { stride, ..*convolution };
            value = convolution.add(&mut graph, layers, &value, &block, inputs, outputs)?;
        }
        let of_picture = graph.integers(&[outputs as i64, side * side]);
        let shape = graph.node("Concat", &[&batch_and_time, &of_picture], vec![Attribute::of_int("axis", 0)]);
        value = graph.node("Reshape", &[&value, &shape], Vec::new());
        value = transposed(&mut graph, &value, &[0, 2, 1, 3]);
        for (convolution, (inputs, outputs)) in IN_TIME.iter().zip([third, fourth]) {
            value = convolution.add(&mut graph, layers, &value, &block, inputs, outputs)?;
        }
    }
    let largest = graph.node("ReduceMax", &[&value], vec![Attribute::of_ints("axes", &[3]), Attribute::of_int("keepdims", 0)]);
    let last = ("Transpose", &[&largest[..]][..], vec![Attribute::of_ints("perm", &[0, 2, 1])]);
    Ok(graph.finish(last, ("visual_embed", &["batch", "time", "128"]), notes))
}

/// The sizes of the first two dimensions.
fn first_sizes(graph: &mut GraphWriter, of: &str) -> String {
    let sizes = graph.node("Shape", &[of], Vec::new());
    let [from, to, dimension] = [0, 2, 0].map(|at| graph.integers(&[at]));
    graph.node("Slice", &[&sizes, &from, &to, &dimension], Vec::new())
}

/// The embeddings of sound and face, `[batch, T, 128]` each, to one logit per picture.
pub(super) fn av_backend(layers: &mut Layers<'_>, notes: &Notes<'_>) -> Result<Vec<u8>> {
    const BOTH: usize = 2 * EMBEDDING;
    let mut graph = GraphWriter::new("av_backend");
    let sound = graph.input("audio_embed", &["batch", "time", "128"]);
    let face = graph.input("visual_embed", &["batch", "time", "128"]);
    let both = graph.node("Concat", &[&sound, &face], vec![Attribute::of_int("axis", 2)]);
    let both = transposed(&mut graph, &both, &[0, 2, 1]);
    let fused = weighed(&mut graph, layers, &both, "model.fusion", BOTH)?;

    let in_time = transposed(&mut graph, &fused, &[2, 0, 1]);
    let unit = layers.recurrent("model.detector.gru_forward", "model.detector.gru_backward", BOTH)?;
    let gates = 3 * Recurrent::HIDDEN;
    let input = graph.floats(&[2, gates, BOTH], &unit.input);
    let state = graph.floats(&[2, gates, Recurrent::HIDDEN], &unit.state);
    let bias = graph.floats(&[2, 2 * gates], &unit.bias);
    let attributes = vec![
        Attribute::of_text("direction", "bidirectional"),
        Attribute::of_int("hidden_size", Recurrent::HIDDEN as i64),
        // The reset gate applies to the state's product, as in PyTorch.
        Attribute::of_int("linear_before_reset", 1),
    ];
    let states = graph.node("GRU", &[&in_time, &input, &state, &bias], attributes);
    // From time, direction, batch, state to batch, direction and state, time.
    let states = transposed(&mut graph, &states, &[2, 1, 3, 0]);
    let states = reshaped(&mut graph, &states, &[0, EMBEDDING as i64, -1]);

    let judged = weighed(&mut graph, layers, &states, "model.detector.attention", EMBEDDING)?;
    let judged = transposed(&mut graph, &judged, &[0, 2, 1]);
    let judged = reshaped(&mut graph, &judged, &[-1, EMBEDDING as i64]);
    // The first output is the score of silence, which is not used.
    let layer = layers.linear_output("lossAV.FC", 1, 2, EMBEDDING)?;
    let weights = graph.floats(&[1, EMBEDDING], &layer.weights);
    let bias = graph.floats(&[1], &layer.bias);
    let score = graph.node("Gemm", &[&judged, &weights, &bias], vec![Attribute::of_int("transB", 1)]);
    let flat = graph.integers(&[-1]);
    Ok(graph.finish(("Reshape", &[&score, &flat], Vec::new()), ("score", &["batch_x_time"]), notes))
}

/// Each value of `[batch, width, T]` times its weight of 0 to 1, which all values of its time give.
fn weighed(graph: &mut GraphWriter, layers: &mut Layers<'_>, of: &str, name: &str, width: usize) -> Result<String> {
    let layer = layers.normalised(&format!("{name}.attention"), &format!("{name}.bn"), &[width, width, 1])?;
    let weights = graph.floats(&[width, width, 1], &layer.weights);
    let bias = graph.floats(&[width], &layer.bias);
    let sum = graph.node("Conv", &[of, &weights, &bias], vec![Attribute::of_ints("kernel_shape", &[1])]);
    let weight = graph.node("Sigmoid", &[&sum], Vec::new());
    Ok(graph.node("Mul", &[of, &weight], Vec::new()))
}
