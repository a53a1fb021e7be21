//! The models that are known by name.

use super::{Conversion, Weights, WeightsFile};

/// The address of a file of Parakeet TDT 0.6B v3, at one commit.
macro_rules! parakeet {
    ($file:literal) => {
        concat!("https://huggingface.co/istupakov/parakeet-tdt-0.6b-v3-onnx/resolve/8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce/", $file)
    };
}

/// The default face detector first.
pub(super) const ALL: &[Weights] = &[
    Weights {
        id: Weights::DEFAULT_FACE_DETECTOR,
        about: "face detection: fast, finds turned and partly hidden faces (UltraFace RFB-320)",
        license: "MIT",
        file: "version-RFB-320.onnx",
        url: "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB/raw/dffdddda9794a50607cba8f318507a28c1c27cab/models/onnx/version-RFB-320.onnx",
        sha256: "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017",
        bytes: 1_270_727,
        others: &[],
        conversion: None,
    },
    Weights {
        id: "yunet",
        about: "face detection: slower, better for small faces (YuNet, 640 x 640)",
        license: "Apache-2.0",
        file: "yunet_s_640_640.onnx",
        url: "https://github.com/ShiqiYu/libfacedetection.train/raw/147357457766555aeaa81fe5501f081fe1c8e12e/onnx/yunet_s_640_640.onnx",
        sha256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        bytes: 232_589,
        others: &[],
        conversion: None,
    },
    Weights {
        id: Weights::VOICE_DETECTOR,
        about: "voice activity detection: robust against music (Silero VAD 6.2.1)",
        license: "MIT",
        file: "silero_vad.onnx",
        url: "https://github.com/snakers4/silero-vad/raw/v6.2.1/src/silero_vad/data/silero_vad.onnx",
        sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
        bytes: 2_327_524,
        others: &[],
        conversion: None,
    },
    // In the layout of the project onnx-asr. The license requires attribution to NVIDIA.
    Weights {
        id: Weights::DEFAULT_SPEECH,
        about: "speech recognition: 25 European languages, with punctuation (NVIDIA Parakeet TDT 0.6B v3, 8 bits)",
        license: "CC-BY-4.0",
        file: "encoder-model.int8.onnx",
        url: parakeet!("encoder-model.int8.onnx"),
        sha256: "6139d2fa7e1b086097b277c7149725edbab89cc7c7ae64b23c741be4055aff09",
        bytes: 652_183_999,
        others: &[
            WeightsFile {
                file: "decoder_joint-model.int8.onnx",
                url: parakeet!("decoder_joint-model.int8.onnx"),
                sha256: "eea7483ee3d1a30375daedc8ed83e3960c91b098812127a0d99d1c8977667a70",
                bytes: 18_202_004,
            },
            WeightsFile {
                file: "nemo128.onnx",
                url: parakeet!("nemo128.onnx"),
                sha256: "a9fde1486ebfcc08f328d75ad4610c67835fea58c73ba57e3209a6f6cf019e9f",
                bytes: 139_764,
            },
            WeightsFile {
                file: "vocab.txt",
                url: parakeet!("vocab.txt"),
                sha256: "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
                bytes: 93_939,
            },
        ],
        conversion: None,
    },
    Weights {
        id: Weights::ACTIVE_SPEAKER,
        about: "who speaks of several faces, by sound and picture (LR-ASD)",
        license: "MIT",
        file: "pretrain_AVA.model",
        url: "https://github.com/Junhua-Liao/LR-ASD/raw/1b6dcd2d8fc2895683de6508ec6294ec47d388ca/weight/pretrain_AVA.model",
        sha256: "85e6c77fc981595234790d1e128ebb60352d37726b2445e0ef8891e2512fe9e3",
        bytes: 3_426_337,
        others: &[],
        conversion: Some(Conversion::LrAsd),
    },
];
