// Made by scripts/documents.mjs from clipkit/schema/clipkit.schema.json. Names are as in the documents.

/**
 * How the word being said is shown.
 */
export type Animation = "none" | "karaoke" | "pop" | "box";
/**
 * The shape of the output.
 */
export type Aspect = "9:16" | "1:1" | "4:5" | "16:9";
/**
 * Seconds
 */
export type Timestamp = number;
/**
 * A colour as #rrggbb
 */
export type Rgb = string;
/**
 * A preset's name (`none` for no captions), or a style. Fields that the style omits come from
 * the preset named in its `like` field, else from karaoke.
 */
export type CaptionStyleGiven =
  | string
  | {
      [k: string]: unknown;
    };
/**
 * Where a cue stands: a fraction of the output's height from its top. Kept inside the platform's safe area.
 */
export type CuePlace =
  | {
      bottom: number;
    }
  | {
      middle: number;
    };
/**
 * A clip's identity: a hash of its source's id and of what decides its picture and sound.
 *
 * Title, reason, score and rank do not count, so a renamed clip stays the same clip; a changed
 * caption or crop makes another one. Made by `ClipPlan.id`.
 */
export type ClipId = string;
/**
 * For whose failure something stands in.
 */
export type StandIn = "built_in" | "always" | "never";
/**
 * What kind of video it is, which decides what counts in a clip.
 *
 * | genre | hook | completeness | density | emotion | best length |
 * |---|---|---|---|---|---|
 * | none given | 30 | 34 | 20 | 16 | 32 s |
 * | `podcast` | 32 | 30 | 14 | 24 | 38 s |
 * | `lecture` | 24 | 42 | 26 | 8 | 45 s |
 * | `gaming` | 28 | 20 | 10 | 42 | 24 s |
 * | `news` | 34 | 36 | 26 | 4 | 28 s |
 *
 * The numbers are parts in a hundred of `Score.total`. They are choices of taste, set by hand, not learned.
 */
export type Genre = "podcast" | "lecture" | "gaming" | "news";
/**
 * How the picture is to be arranged in the output.
 */
export type LayoutChoice = "auto" | "fill" | "split" | "fit" | "pip";
/**
 * Where clips go: it decides which part of the picture the interface leaves free.
 */
export type Platform = "shorts" | "tiktok" | "reels" | "generic";
/**
 * x264's speed presets, fastest first.
 */
export type X264Preset = "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium" | "slow" | "slower" | "veryslow";
/**
 * How the picture is arranged.
 */
export type Layout =
  | {
      /**
       * The window.
       */
      crop: Crop;
      kind: "fill";
    }
  | {
      /**
       * What the lower half shows.
       */
      bottom: Crop;
      kind: "split";
      /**
       * Whose half is marked, in order of time; before the first entry none is.
       */
      speaking?: Speaking[];
      /**
       * What the upper half shows.
       */
      top: Crop;
    }
  | {
      kind: "fit";
      /**
       * The window and where it is shown.
       */
      pane: Pane;
    }
  | {
      /**
       * The smaller window and where it is shown, in front.
       */
      inset: Pane;
      kind: "pip";
      /**
       * The larger window and where it is shown.
       */
      screen: Pane;
    };
/**
 * A half of a split picture.
 */
export type Half = "top" | "bottom";
/**
 * What kind of picture a shot shows.
 */
export type ShotContent = "camera" | "screen";
/**
 * A file's identity: a hash of its bytes, so that a copy or a new name stays the same media.
 */
export type ContentId = string;
/**
 * The two transfer functions of high dynamic range video (ITU-R BT.2100).
 */
export type Hdr = "pq" | "hlg";
/**
 * What went wrong, as a class a program can act on.
 */
export type ErrorKind =
  | "not_found"
  | "invalid_input"
  | "no_transcript"
  | "nothing_found"
  | "invalid_plan"
  | "config"
  | "cancelled"
  | "io"
  | "decode"
  | "encode"
  | "captions"
  | "unavailable"
  | "network"
  | "rate_limited"
  | "denied"
  | "timed_out"
  | "contract";
/**
 * The stages of the pipeline, in order.
 */
export type Stage = "source" | "transcribe" | "score" | "track" | "plan" | "render" | "publish";
/**
 * Something that happened in a run, for progress bars and logs.
 */
export type Event =
  | {
      /**
       * The clip, from 1 in order of rank.
       */
      clip?: number | null;
      event: "started";
      /**
       * The stage.
       */
      stage: Stage;
    }
  | {
      /**
       * The clip, from 1 in order of rank.
       */
      clip?: number | null;
      event: "progress";
      /**
       * The part done, 0 to 1.
       */
      fraction: number;
      /**
       * The stage.
       */
      stage: Stage;
    }
  | {
      /**
       * The clip, from 1 in order of rank.
       */
      clip?: number | null;
      event: "finished";
      /**
       * The stage.
       */
      stage: Stage;
    }
  | {
      /**
       * How many clips will be made.
       */
      clips: number;
      event: "planned";
    }
  | {
      /**
       * The clip, from 1 in order of rank.
       */
      clip?: number | null;
      event: "waiting";
      /**
       * Why, in one line for a person.
       */
      reason: string;
      /**
       * For how long.
       */
      seconds: number;
      /**
       * The stage.
       */
      stage: Stage;
    }
  | (Warning & {
      event: "warning";
    })
  | (ManifestClip & {
      event: "clip";
    });
/**
 * What kind of warning a `Warning` is.
 */
export type WarningKind =
  | "stand_in"
  | "input_lost"
  | "repaired"
  | "source_changed"
  | "layout"
  | "captions"
  | "font"
  | "rendering"
  | "unavailable"
  | "budget"
  | "store"
  | "publish"
  | "other";
/**
 * How far a publication is.
 */
export type PublishStatus = "published" | "processing" | "scheduled";
/**
 * A layer by name, as it stands in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`.
 */
export type LayerConfig =
  | {
      retry: Retry;
    }
  | {
      rate_limit: RateLimit;
    }
  | {
      concurrency: Concurrency;
    }
  | {
      timeout: Timeout;
    }
  | {
      cache: Cache;
    };
/**
 * Where clips go.
 */
export type PublisherConfig = {
  /**
   * Whether the manifest of a run keeps the clips that an earlier run of the same video left,
   * as long as their files are there. For rendering some clips again. Default `false`.
   */
  keep_others?: boolean;
  kind: "folder";
  /**
   * The folder.
   */
  path: string;
};
/**
 * How plans become files.
 */
export type RendererConfig = {
  kind: "ffmpeg";
  /**
   * Columns and rows of the clips; none leaves it to the aspect that the pipeline asks for. Plans are made for it; rendering obeys the plan.
   *
   * @minItems 2
   * @maxItems 2
   */
  size?: [unknown, unknown] | null;
  /**
   * Threads for decoding and for encoding one clip. 0, the default, shares the machine's cores among the clips rendered at once.
   */
  threads?: number;
};
/**
 * How spans are chosen.
 */
export type ScorerConfig =
  | {
      kind: "auto";
    }
  | {
      kind: "heuristic";
    }
  | {
      kind: "openai";
      /**
       * The model. Default `gpt-4o-mini`.
       */
      model?: string;
      /**
       * What the model costs. Default: what is known of OpenAI's own models.
       */
      price?: Price | null;
      /**
       * How many requests run at once. Default 3.
       */
      requests?: number;
      /**
       * Whether the best spans are compared with each other after they were scored: up to twelve requests more. Default yes.
       */
      rerank?: boolean;
      /**
       * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
       */
      server?: OpenAiServer;
      /**
       * How long one answer may take, in seconds; then the request is made again, as the server's layers say. Default 120.
       */
      timeout_secs?: number;
    };
/**
 * Where videos come from.
 */
export type SourceConfig = {
  kind: "file";
  /**
   * Whether a copy of the file is put into the media store, so that later steps find it there
   * when the file is gone. Default `false`: the file is used where it is.
   */
  store?: boolean;
};
/**
 * How faces and shots are found.
 */
export type TrackerConfig =
  | {
      kind: "auto";
      /**
       * A model's name, or the path of its file. `None` is the default face detector.
       */
      model?: string | null;
      /**
       * How it is run.
       */
      options?: OnnxTrackerOptions;
    }
  | {
      kind: "onnx";
      /**
       * A model's name, or the path of its file. `None` is the default face detector.
       */
      model?: string | null;
      /**
       * How it is run.
       */
      options?: OnnxTrackerOptions;
    }
  | {
      kind: "motion";
    }
  | {
      kind: "center";
    };
/**
 * How words and their times are found.
 */
export type TranscriberConfig =
  | {
      kind: "auto";
      /**
       * The local model's folder. `None` is `speech` in the folder of `CLIPKIT_MODELS`, else in the
       * cache, else `Weights.DEFAULT_SPEECH` where it was downloaded.
       */
      model?: string | null;
      /**
       * How the API is asked.
       */
      openai?: OpenAiTranscriberOptions;
    }
  | {
      /**
       * The one file to read, instead of looking for one.
       */
      file?: string | null;
      kind: "captions";
    }
  | {
      kind: "openai";
      /**
       * The language as ISO 639-1 (`en`), where known. Default: the server finds out.
       */
      language?: string | null;
      /**
       * The model. Default `whisper-1`, the one of OpenAI's with word times.
       */
      model?: string;
      /**
       * Names and terms to spell as given here, or a sentence in the style to write in. `whisper-1` heeds the last 224 tokens.
       */
      prompt?: string | null;
      /**
       * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
       */
      server?: OpenAiServer;
      /**
       * How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600.
       */
      timeout_secs?: number;
      /**
       * How many stretches are sent at once. Default 3.
       */
      uploads?: number;
    }
  | {
      kind: "local";
      /**
       * The language that is spoken, as ISO 639-1 (`en`), where the model does not say it.
       */
      language?: string | null;
      /**
       * The model's folder, or the name of a known one, which is downloaded if it is missing. `None`
       * is the folder that `auto` would take, else `Weights.DEFAULT_SPEECH`.
       */
      model?: string | null;
    };
/**
 * Who can see a published clip.
 */
export type Privacy = "public" | "unlisted" | "private";

/**
 * A sound stream.
 */
export interface AudioStream {
  /**
   * Number of channels.
   */
  channels: number;
  /**
   * The codec's short name (`aac`).
   */
  codec: string;
  /**
   * The stream's number in the file.
   */
  index: number;
  /**
   * The language the file names, if it does.
   */
  language?: string | null;
  /**
   * Samples per second.
   */
  sample_rate: number;
}
/**
 * Does the same work once: answers are kept, and found again by what they were made from.
 *
 * - The key is a hash of the stage's kind, the video's content (never its name), the rest of the input (span, transcript, options), the stage's
 *   fingerprint (`Transcriber.fingerprint` and its kin, or `about`) and this crate's version.
 *   Nothing of it is written in the clear.
 * - An answer is kept for 7 days. An old or damaged one is as good as none, and losing one costs time and nothing else; a store that cannot be
 *   used leaves a warning.
 * - Callers of the same work at the same time share one computation, if their caches are clones, or are in the same place and process (ten jobs,
 *   each with a pipeline of its own from one document). One that is cancelled leaves the others alone; the work stops when nobody waits for
 *   it any more.
 * - Failures are not kept, nor is what a `Fallback` stepped down to. Warnings are kept with the answer and said each time.
 * - Several processes may share a store: an entry appears when it is whole.
 *
 * Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with files, or change the world: a cache around
 * one does not compile, and in JSON it is refused.
 *
 * It belongs outside all other layers: what is kept needs no place, no rate and no second attempt. In JSON,
 * `{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}`; without a `store`, the user's cache folder.
 */
export interface Cache {
  about?: string | null;
  keep?: number;
  store?: string | null;
}
/**
 * A span that could become a clip, with what speaks for it.
 *
 * In JSON, `{"start": 12.5, "end": 40, "score": 90}` is read, too: the span's ends beside the rest, a score by its total, no title.
 */
export interface Candidate {
  /**
   * A line that makes people stay, to be shown over the first seconds. None where nobody wrote one.
   */
  hook_line?: string | null;
  /**
   * Why it was chosen, in a sentence.
   */
  reason: string;
  /**
   * How good it is.
   */
  score: Score;
  /**
   * Where it is, on the source's timeline.
   */
  span: Span;
  /**
   * A short title.
   */
  title: string;
}
/**
 * How good a span is as a clip.
 */
export interface Score {
  /**
   * How well it stands without what was said around it: 0 to 10.
   */
  completeness: number;
  /**
   * How much is said in its time: 0 to 10.
   */
  density: number;
  /**
   * How much feeling is in it: 0 to 10.
   */
  emotion: number;
  /**
   * How strongly the first sentence catches: 0 to 10.
   */
  hook: number;
  /**
   * The whole: 0 to 100. Clips are ranked by it.
   */
  total: number;
}
/**
 * A stretch of a timeline: from `start` up to but not including `end`.
 */
export interface Span {
  end: Timestamp;
  start: Timestamp;
}
/**
 * How captions look. Plain data: copy a preset, change what you like.
 *
 * Sizes are fractions of the output's height, so a style looks the same at every resolution.
 */
export interface CaptionStyle {
  /**
   * How the word being said is shown.
   */
  animation: Animation;
  /**
   * Whether captions that would hide the mouth of who is shown move to the nearest place that does not. One place for the whole clip.
   */
  avoid_faces: boolean;
  /**
   * Whether to take the family's bold weight.
   */
  bold: boolean;
  /**
   * Colour of the words.
   */
  color: Rgb;
  /**
   * How keywords stand out; none where they do not.
   */
  emphasis?: Emphasis | null;
  /**
   * The font's family name, as fontconfig knows it.
   */
  font: string;
  /**
   * Colour of the word being said (and, in `box`, of its plate).
   */
  highlight: Rgb;
  /**
   * The most words shown at once.
   */
  max_words: number;
  /**
   * The style's name, for people.
   */
  name: string;
  /**
   * Colour of the outline.
   */
  outline: Rgb;
  /**
   * Width of the outline: a fraction of the font's size.
   */
  outline_width: number;
  /**
   * Height of the captions' bottom edge: a fraction of the output's height from its top. Kept inside the platform's safe area.
   */
  position: number;
  /**
   * Distance of the shadow: a fraction of the font's size.
   */
  shadow: number;
  /**
   * The font's size: a fraction of the output's height.
   */
  size: number;
  /**
   * Whether words are set in capitals.
   */
  uppercase: boolean;
}
/**
 * How keywords stand out from the words around them.
 */
export interface Emphasis {
  /**
   * Their colour. In `karaoke` they take it as they are said, in the others they have it from the start.
   */
  color: Rgb;
  /**
   * Their size, next to the other words': 0.5 to 2. Default 1.
   */
  scale?: number;
  /**
   * The keywords, whatever their case. None, the default, chooses them from what is said: numbers, names, and long words that
   * are seldom said; at most one in a cue.
   */
  words?: string[];
}
/**
 * Captions burned into the picture.
 */
export interface CaptionTrack {
  /**
   * What is shown when, in order, without overlaps.
   */
  cues: Cue[];
  /**
   * The part of the output that the platform's interface leaves free; captions stay inside.
   */
  safe_area: Rect;
  /**
   * How they look.
   */
  style: CaptionStyle;
}
/**
 * Words shown together.
 */
export interface Cue {
  /**
   * Where they stand, where that is not the style's position.
   */
  place?: CuePlace | null;
  /**
   * When they are shown, on the clip's timeline.
   */
  span: Span;
  /**
   * The words, in order. Their text is shown as it stands; nothing in it is interpreted.
   */
  words: CueWord[];
}
/**
 * A word of a cue.
 */
export interface CueWord {
  /**
   * Whether it is a keyword, shown as the style's `emphasis` says.
   */
  emphasized?: boolean;
  /**
   * When it is said, on the clip's timeline.
   */
  span: Span;
  /**
   * As shown.
   */
  text: string;
}
/**
 * A box in the picture as a viewer sees it (upright, square pixels): fractions of its width and height, from the top left.
 */
export interface Rect {
  /**
   * Height, 0 to 1.
   */
  height: number;
  /**
   * Width, 0 to 1.
   */
  width: number;
  /**
   * Left edge, 0 to 1.
   */
  x: number;
  /**
   * Top edge, 0 to 1.
   */
  y: number;
}
/**
 * What clips a `Pipeline` makes, and how many.
 */
export interface ClipOptions {
  /**
   * What clips should be about; empty for anything. A word, or a few that belong together.
   */
  about?: string[];
  /**
   * The shape of the picture, where the renderer was not set up for a size of its own. Default 9:16.
   */
  aspect?: Aspect;
  /**
   * How many clips may be in one stage concurrently, for the stages that work on clips (`track`,
   * `plan`, `render`, `publish`), where that is fewer than `jobs`: `{"publish": 1}` publishes one
   * after the other. Default: no limit but `jobs`.
   */
  at_once?: {
    [k: string]: number;
  };
  /**
   * What clips should not be about.
   */
  avoid?: string[];
  /**
   * How captions look; none for clips without. In JSON a preset's name, a style as `CaptionStyle.from_json` reads it, or null.
   * Default karaoke.
   */
  captions?: CaptionStyleGiven | null;
  /**
   * The most clips. Default 10.
   */
  clips?: number;
  /**
   * x264's constant rate factor, 0 to 51: lower is better and larger; 6 less doubles the size. Default 20.
   */
  crf?: number;
  /**
   * What may stand in for a stage that fails. `None`, the default: a run degrades as
   * `Degrade.default` says, and a step called by itself does not.
   */
  degrade?: Degrade | null;
  /**
   * What kind of video this is: it decides what counts in a clip. Default: a bit of everything.
   */
  genre?: Genre | null;
  /**
   * How the clip's title is shown over its first seconds; none, the default, for clips without. In JSON `{}` is the usual look.
   */
  hook?: HookStyle | null;
  /**
   * How many clips are worked on side by side. Default: half the processor cores, since decoder, filters and encoder of one
   * clip keep about two busy. More is not faster, and each takes about 300 MB for a 1080p source.
   */
  jobs?: number | null;
  /**
   * How the picture is arranged: one window, two, or all of the picture. Default `auto`: what suits each shot. Another choice holds for
   * every shot; where it cannot be (two halves of one person), a warning says so.
   */
  layout?: LayoutChoice;
  /**
   * How loud the sound is made; none leaves it as it is. Default -14 LUFS, peaks up to -1 dBTP.
   */
  loudness?: Loudness | null;
  /**
   * The longest clip; in JSON, seconds. Default 60 s.
   */
  max?: number;
  /**
   * The most that a run may cost, in US dollars, by the prices known or given: stages that ask paid models stop before they pass it.
   * Default: no limit.
   */
  max_cost?: number | null;
  /**
   * The shortest clip; in JSON, seconds. Default 15 s.
   */
  min?: number;
  /**
   * Where the clips go: it decides which part of the picture captions may use. Default: the part that is free everywhere.
   */
  platform?: Platform;
  /**
   * x264's speed preset. Default `veryfast`; `medium` takes three times as long for files about as large that look a little better.
   */
  preset?: X264Preset;
  /**
   * Whether a span's ends are moved, by up to 0.4 s, to where no word is cut. Default true; false cuts exactly where the scorer says.
   */
  snap?: boolean;
}
/**
 * What may stand in for a stage that fails. A stand-in leaves a warning of the kind
 * `StandIn`.
 *
 * Without a policy in `ClipOptions.degrade`, a run degrades as
 * `Degrade.default` says, and a step called by itself answers its error. A queue that retries
 * sets `Degrade.NEVER` and, on the last attempt, `Degrade.default`.
 */
export interface Degrade {
  /**
   * For captions that cannot be drawn: a clip without captions.
   */
  captions?: StandIn;
  /**
   * For a scorer: the `Heuristic`.
   */
  scorer?: StandIn;
  /**
   * For a face tracker: the `MotionTracker`, then the
   * `CenterTracker`.
   */
  tracker?: StandIn;
  /**
   * For the transcriber `auto`: the speech model on this machine where the API fails.
   */
  transcriber?: StandIn;
}
/**
 * How a `Hook` looks. In JSON, what is left out is as in `HookStyle.default`.
 */
export interface HookStyle {
  /**
   * Whether to take the family's bold weight. Default no: Lato Black is heavy already.
   */
  bold?: boolean;
  /**
   * Colour of the words. Default black.
   */
  color?: Rgb;
  /**
   * The font's family name, as fontconfig knows it. Default Lato Black.
   */
  font?: string;
  /**
   * Colour of the plate behind the lines; none, in JSON `null`, for words with a black outline. Default white.
   */
  plate?: Rgb | null;
  /**
   * How long it is shown, in seconds. Default 3.
   */
  secs?: number;
  /**
   * The font's largest size: a fraction of the output's height. Default 0.036.
   */
  size?: number;
}
/**
 * How loud a clip is, by ITU-R BS.1770 and EBU R 128.
 *
 * The whole clip is raised or lowered by one amount; only peaks that would pass the limit are held down. It is raised by at most 20 dB,
 * and a clip below -50 LUFS, in which nothing is meant to be heard, is left as it is.
 */
export interface Loudness {
  /**
   * Integrated loudness in LUFS, -40 to -5.
   */
  integrated: number;
  /**
   * The highest true peak in dBTP, -9 to 0, in the finished file.
   */
  true_peak: number;
}
/**
 * Everything a renderer needs to make one clip, and nothing it has to decide.
 *
 * Written beside each clip as JSON, stable within a `version`, meant to be edited and rendered again. All
 * times but `span` are on the clip's timeline (seconds from its first frame); all places are fractions of the displayed
 * source picture (upright, square pixels) or, for captions, of the output.
 */
export interface ClipPlan {
  /**
   * The captions; none for a clip without.
   */
  captions?: CaptionTrack | null;
  /**
   * The faces that were seen, on the clip's timeline. They explain the crop; the renderer does not read them.
   */
  faces: FaceTrack[];
  /**
   * A title over the first seconds; none for a clip without.
   */
  hook?: Hook | null;
  /**
   * A line to show over the first seconds; none where nobody wrote one. `hook` draws it, where it is asked for.
   */
  hook_line?: string | null;
  /**
   * The file to make.
   */
  output: Output;
  /**
   * Why this span was chosen.
   */
  reason: string;
  /**
   * How the picture is framed: scenes in order, without gaps, from 0 to the clip's end. The crop jumps only where one ends.
   */
  scenes: Scene[];
  /**
   * How good it is as a clip.
   */
  score: Score;
  /**
   * The camera shots. They explain the scenes; the renderer does not read them.
   */
  shots: Shot[];
  /**
   * The file to cut from.
   */
  source: PlanSource;
  /**
   * Which stretch of the source, in seconds of the source.
   */
  span: Span;
  /**
   * What else drew the eye, on the clip's timeline. It explains the crop; the renderer does not read it.
   */
  subjects?: SubjectTrack[];
  /**
   * The clip's title; its file is named after it.
   */
  title: string;
  /**
   * The version of this document: `ClipPlan.VERSION`.
   */
  version: number;
}
/**
 * One face through one shot.
 */
export interface FaceTrack {
  /**
   * Its number, unique in its `Tracks`.
   */
  id: number;
  /**
   * Where the face was, in order of time. Never empty.
   */
  samples: FaceSample[];
}
/**
 * A face in one frame.
 */
export interface FaceSample {
  /**
   * The frame's time on the source's timeline.
   */
  at: Timestamp;
  /**
   * How sure the detector is, 0 to 1.
   */
  confidence: number;
  /**
   * How much the mouth region changed since the sample before, 0 (still) upwards; a talking mouth is well above a closed one.
   */
  mouth: number;
  /**
   * The face's box, in the displayed picture.
   */
  rect: Rect;
}
/**
 * A title laid over the clip's first seconds, so that who scrolls past knows what it is about.
 */
export interface Hook {
  /**
   * The part of the output that it may take: it stands in the middle of it, and shrinks until it fits.
   */
  area: Rect;
  /**
   * When it is shown, on the clip's timeline.
   */
  span: Span;
  /**
   * How it looks.
   */
  style: HookStyle;
  /**
   * What it says. Shown as it stands; nothing in it is interpreted.
   */
  text: string;
}
/**
 * The file to make: H.264 and AAC in an MP4, with everything that is needed to repeat the encode by hand.
 */
export interface Output {
  /**
   * Bits of sound a second (AAC, 48 kHz, stereo).
   */
  audio_bitrate: number;
  /**
   * The picture's codec: `h264` (x264, High profile, yuv420p, BT.709).
   */
  codec: string;
  /**
   * x264's constant rate factor, 0 to 51: lower is better and larger.
   */
  crf: number;
  /**
   * Frames per second, constant.
   */
  frame_rate: FrameRate;
  /**
   * Rows; even.
   */
  height: number;
  /**
   * How loud the sound is made; none leaves it as it is in the source.
   */
  loudness?: Loudness | null;
  /**
   * x264's speed preset.
   */
  preset: X264Preset;
  /**
   * Columns; even.
   */
  width: number;
}
/**
 * Frames per second as a fraction.
 */
export interface FrameRate {
  /**
   * ... in this many seconds.
   */
  den: number;
  /**
   * Frames ...
   */
  num: number;
}
/**
 * A stretch of the clip with one layout.
 */
export interface Scene {
  /**
   * How the picture is arranged.
   */
  layout: Layout;
  /**
   * Where it is, on the clip's timeline.
   */
  span: Span;
}
/**
 * A window on the source, of one size, that may move.
 */
export interface Crop {
  /**
   * The window's height, as a fraction of the picture's.
   */
  height: number;
  /**
   * Where its top left corner is, in order of time. Between two keys it moves evenly; before the first and after the last it stands.
   */
  path: CropKey[];
  /**
   * The window's width, as a fraction of the picture's.
   */
  width: number;
}
/**
 * Where a crop window is at one moment.
 */
export interface CropKey {
  /**
   * When, on the clip's timeline.
   */
  at: Timestamp;
  /**
   * Left edge, as a fraction of the picture's width.
   */
  x: number;
  /**
   * Top edge, as a fraction of the picture's height.
   */
  y: number;
}
/**
 * From when on which half of a split picture speaks.
 */
export interface Speaking {
  /**
   * When, on the clip's timeline.
   */
  from: Timestamp;
  /**
   * Which half; none where nobody, or somebody else, speaks.
   */
  half?: Half | null;
}
/**
 * A window of the source and the part of the output that it fills.
 */
export interface Pane {
  /**
   * The window.
   */
  crop: Crop;
  /**
   * Where it is shown: fractions of the output.
   */
  place: Rect;
}
/**
 * A stretch between two camera cuts. `start` is the time of the shot's first frame.
 */
export interface Shot {
  /**
   * What kind of picture it shows.
   */
  content?: ShotContent;
  /**
   * Where it is. In `Tracks` on the source's timeline, in a plan on the clip's.
   */
  span: Span;
}
/**
 * The file a plan cuts from.
 */
export interface PlanSource {
  /**
   * How long it plays.
   */
  duration: Timestamp;
  /**
   * Rows of the picture as displayed.
   */
  height: number;
  /**
   * Which media it is. The local file is looked up when it is needed.
   */
  media: MediaRef;
  /**
   * Columns of the picture as displayed.
   */
  width: number;
}
/**
 * A media file by address and content: what plans and manifests name, so that they outlive a
 * download and mean the same on another machine.
 */
export interface MediaRef {
  /**
   * What the file contains.
   */
  id: ContentId;
  /**
   * The file's size and time of change when it was identified. Where they still hold, the file
   * is not read to identify it again. `None` for media in a media store.
   */
  stamp?: FileStamp | null;
  /**
   * What the source was given: a path, or a URL. A relative path is looked up from the working
   * folder.
   */
  uri: string;
}
/**
 * A file's size and time of change.
 */
export interface FileStamp {
  /**
   * When the content changed last, in microseconds since 1970.
   */
  modified: number;
  /**
   * Bytes.
   */
  size: number;
}
/**
 * Something that draws the eye through one shot, other than a face.
 */
export interface SubjectTrack {
  /**
   * Where it was, in order of time. Never empty.
   */
  samples: SubjectSample[];
}
/**
 * Where a subject is in one frame.
 */
export interface SubjectSample {
  /**
   * The frame's time; in `Tracks` on the source's timeline, in a plan on the clip's.
   */
  at: Timestamp;
  /**
   * The box around it, in the displayed picture.
   */
  rect: Rect;
}
/**
 * How numbers mean colours, in FFmpeg's names (`bt709`, `smpte2084`); `unknown` where the file does not say.
 */
export interface Color {
  /**
   * Set for high dynamic range.
   */
  hdr?: Hdr | null;
  /**
   * From RGB to luma and chroma.
   */
  matrix: string;
  /**
   * Which red, green and blue.
   */
  primaries: string;
  /**
   * `tv` (16 to 235) or `pc` (0 to 255).
   */
  range: string;
  /**
   * From code value to light.
   */
  transfer: string;
}
/**
 * Lets only so many calls run at a time; the others wait in order of arrival. Default 1.
 *
 * Clones share the places, and so do all runs that share the stage: a model that needs all of the memory, an account that takes two requests
 * at once. What one run may do at once is rather `ClipOptions.at_once`.
 *
 * It belongs inside `Retry`: no place is held while a retry waits. In JSON, `{"concurrency": {"at_once": 2}}`.
 */
export interface Concurrency {
  at_once?: number;
}
/**
 * An `Error` as a document: what manifests, queues, services and other languages hand on.
 *
 * It is read back with `ErrorReport.into_error`; the cause (`source`) is not
 * part of it.
 */
export interface ErrorReport {
  /**
   * What the user can do, as an imperative.
   */
  advice?: string | null;
  /**
   * The moment in the file concerned, in seconds.
   */
  at?: Timestamp | null;
  /**
   * What went wrong, as a class.
   */
  kind: ErrorKind;
  /**
   * What happened, without the file's name, the moment and the advice.
   */
  message: string;
  /**
   * The file concerned.
   */
  path?: string | null;
  /**
   * What the program can do.
   */
  recovery?: Recovery;
  /**
   * The stage that failed.
   */
  stage?: Stage | null;
  /**
   * The address concerned, without user, password and query.
   */
  url?: string | null;
}
export interface Recovery {
  /**
   * `retry`, `refresh_credentials`, `reencode`, `wait_until` or `give_up`.
   */
  action: string;
  /**
   * With `retry`: how long the other side asked to wait, in seconds.
   */
  after?: number | null;
  /**
   * With `wait_until`: the moment, in seconds since 1970.
   */
  until?: number | null;
}
/**
 * Something that went less well than asked, and what was done instead.
 */
export interface Warning {
  /**
   * The clip concerned, from 1 in order of rank. `None` where the run as a whole is concerned.
   */
  clip?: number | null;
  /**
   * What kind of warning it is, for a program to branch on.
   */
  kind?: WarningKind;
  /**
   * One line for a person: what happened, what was done instead, how to avoid it.
   */
  message: string;
  /**
   * The stage that degraded.
   */
  stage: Stage;
}
/**
 * One clip of a `Manifest`.
 */
export interface ManifestClip {
  /**
   * Its cover, likewise.
   */
  cover?: string | null;
  /**
   * The clip: a name relative to the output folder, or an address.
   */
  file: string;
  /**
   * A line that makes people stay, for the text of a post. `None` where no scorer wrote one.
   */
  hook_line?: string | null;
  /**
   * Which clip it is.
   */
  id: ClipId;
  /**
   * Its plan, likewise.
   */
  plan?: string | null;
  /**
   * Its place in the ranking, from 1.
   */
  rank: number;
  /**
   * Why it was chosen.
   */
  reason: string;
  /**
   * Where it was published, one entry for each target.
   */
  receipts?: Receipt[];
  /**
   * How good it is.
   */
  score: Score;
  /**
   * Where it comes from, in seconds of the source.
   */
  span: Span;
  /**
   * Its title.
   */
  title: string;
  /**
   * The targets that refused it, where other targets took it.
   */
  unpublished?: Unpublished[];
  /**
   * Warnings that concern this clip.
   */
  warnings: Warning[];
}
/**
 * Where a publisher put a clip.
 */
export interface Receipt {
  /**
   * The account at the target. `None` where the target has no accounts.
   */
  account?: string | null;
  /**
   * The files at the target, by their names there. `None` where the target has no files.
   */
  files?: PublishedFiles | null;
  /**
   * The clip's id at the target: a platform's video id, an object's key, a file name.
   */
  id: string;
  /**
   * When the clip became visible, or will, in RFC 3339.
   */
  published_at?: string | null;
  /**
   * What the publisher needs to ask for the publication again: an upload's session, for
   * example. Only the publisher that wrote it reads it. It holds no secrets.
   */
  resume?: {
    [k: string]: unknown;
  };
  /**
   * How far the publication is.
   */
  status?: PublishStatus;
  /**
   * The publishing target: `folder`, `s3`, `youtube` ...
   */
  target: string;
  /**
   * Where the clip can be watched. `None` where that is not known (yet), or is a local file.
   */
  url?: string | null;
}
/**
 * The names of a clip's files at a target: paths relative to its folder, or object keys.
 */
export interface PublishedFiles {
  /**
   * Its cover.
   */
  cover?: string | null;
  /**
   * Its plan.
   */
  plan?: string | null;
  /**
   * The clip.
   */
  video: string;
}
/**
 * A target that refused a clip.
 */
export interface Unpublished {
  /**
   * Why the clip is not there.
   */
  error: ErrorReport;
  /**
   * The publishing target.
   */
  target: string;
}
/**
 * A clip that was chosen and not made.
 */
export interface FailedClip {
  /**
   * Why it was not made.
   */
  error: ErrorReport;
  /**
   * Its place in the ranking, from 1.
   */
  rank: number;
  /**
   * Where it would come from, in seconds of the source.
   */
  span: Span;
  /**
   * Its title.
   */
  title: string;
}
/**
 * Which pictures `Frames` returns, and their size.
 */
export interface FrameOptions {
  /**
   * The longer side of the pictures in pixels; smaller videos are not enlarged. `None`, the
   * default, keeps the video's size. Small pictures are faster to convert, and most face
   * detectors have an input of 320 or 640 pixels.
   */
  longest?: number | null;
  /**
   * The maximum number of pictures per second; those between are decoded and dropped. `None`,
   * the default, returns every frame.
   */
  per_second?: number | null;
}
/**
 * Calls again what failed, where the error's `Recovery` says that this may help. Each wait is told (`Event.Waiting`).
 *
 * The wait grows from attempt to attempt, with up to half as much again at random, so that many callers do not come back together. Where
 * the other side says how long to wait (`Retry-After`), that is how long. Three attempts with the defaults take 15 to 22 s of waiting.
 * Wrong settings, unusable input and cancelled work are never tried again.
 *
 * Attempts do not multiply: what a retry further inside has tried counts, so of two around the same work the one with more attempts decides.
 * Stages that ask a server have one around each request (`OpenAiServer.layers`), where one request that fails
 * is made again alone; one around such a stage is for a fallback or a server that is down for longer.
 *
 * It belongs outside `RateLimit` and `Timeout`, so that they hold for each attempt: see
 * `StageExt`. In JSON, `{"retry": {"attempts": 3, "first": 5, "factor": 2, "longest": 600}}`.
 */
export interface Retry {
  attempts?: number;
  factor?: number;
  first?: number;
  longest?: number;
}
/**
 * Lets only so many calls begin in any minute, and in any day. Callers wait in order of arrival, and are told for how long
 * (`Event.Waiting`); where the day's calls are used up the error says when there are more (`Recovery.WaitUntil`).
 *
 * It counts over the last 60 s and 24 h, not over the clock's minutes and days: that is never more than a server allows, and at times less.
 * Clones count together, so stages that share an account get clones of one limit. It counts what this process does, since it started.
 *
 * It belongs inside `Retry`, so that each attempt counts. In JSON, `{"rate_limit": {"per_minute": 5, "per_day": 100}}`;
 * `{"rate_limit": {}}` is the default, 5 a minute, and `"per_minute": null` counts days alone.
 */
export interface RateLimit {
  per_day?: number | null;
  per_minute?: number | null;
}
/**
 * Gives a call so long. What takes longer is cancelled, and the error (`ErrorKind.TimedOut`) may be retried. Default 10 minutes.
 *
 * The work is asked to stop by its context, as when a caller cancels, and gets a moment to tidy up; then it is abandoned. Work that is done
 * in that moment is not thrown away.
 *
 * It belongs next to the stage, inside `Retry` and `RateLimit`: outside, their waits use the time up. The time
 * is for a whole call, a long video's as well as a short one's, so be generous. In JSON, `{"timeout": {"seconds": 600}}`.
 */
export interface Timeout {
  seconds?: number;
}
/**
 * What a run made: the content of `clips.json`.
 */
export interface Manifest {
  /**
   * The clips, best first.
   */
  clips: ManifestClip[];
  /**
   * The clips that were not made, best first, with the error of each.
   */
  failed?: FailedClip[];
  /**
   * The input.
   */
  source: PlanSource;
  /**
   * Where the time went.
   */
  timings: Timing;
  /**
   * What was asked of paid models, and what it cost: one entry for each stage and model. Empty
   * where no paid model was asked.
   */
  usage?: Usage[];
  /**
   * The version of this document: `Manifest.VERSION`.
   */
  version: number;
  /**
   * Warnings that concern the run as a whole.
   */
  warnings: Warning[];
}
/**
 * Where a run's time went, in seconds. A stage's time is the sum over its calls; calls run
 * concurrently, so the sum can exceed the total.
 */
export interface Timing {
  /**
   * From start to end.
   */
  total: number;
  [k: string]: number;
}
/**
 * What a stage asked of one paid model, and what that cost. Stages report it with `Context.spend`.
 */
export interface Usage {
  /**
   * Sound that was listened to, in seconds.
   */
  audio_seconds?: number;
  /**
   * Tokens that were written.
   */
  completion_tokens?: number;
  /**
   * What it cost in US dollars, by the price given, else by those of OpenAI's own models as third parties quoted them in June 2026; none where
   * there is no price. It is no invoice.
   */
  cost_usd?: number | null;
  /**
   * Whether some of the tokens are estimated, since the server did not count them. Estimates are rather too high than too low.
   */
  estimated?: boolean;
  /**
   * The model's name, as the server was asked for it.
   */
  model?: string;
  /**
   * Tokens that were read.
   */
  prompt_tokens?: number;
  /**
   * How many requests were answered, or may have been.
   */
  requests?: number;
  /**
   * The stage that asked; set by `Context.spend` where it is none.
   */
  stage?: Stage | null;
}
/**
 * A media file on this machine and what is in it.
 */
export interface Media {
  /**
   * Sound streams, in file order.
   */
  audio: AudioStream[];
  /**
   * The container's short name, as FFmpeg gives it (`mov,mp4,m4a,3gp,3g2,mj2`).
   */
  container: string;
  /**
   * How long the longest of sound and picture plays, measured where the container does not say or cannot be believed.
   */
  duration: Timestamp;
  /**
   * What the file contains.
   */
  id: ContentId;
  /**
   * Where the file is on this machine. Another process looks it up anew.
   */
  path: string;
  /**
   * The file's size and time of change. `None` for media in a media store.
   */
  stamp?: FileStamp | null;
  /**
   * Subtitle streams, in file order.
   */
  subtitles: SubtitleStream[];
  /**
   * What the source was given: a path, or a URL.
   */
  uri: string;
  /**
   * The picture that a player would show; none in a sound file.
   */
  video?: VideoStream | null;
}
/**
 * A subtitle stream.
 */
export interface SubtitleStream {
  /**
   * The codec's short name (`subrip`, `webvtt`, `ass`, `mov_text`, `hdmv_pgs_subtitle`).
   */
  codec: string;
  /**
   * The stream's number in the file.
   */
  index: number;
  /**
   * The language the file names, if it does.
   */
  language?: string | null;
}
/**
 * A picture stream.
 */
export interface VideoStream {
  /**
   * Bits of one component.
   */
  bit_depth: number;
  /**
   * The codec's short name (`h264`).
   */
  codec: string;
  /**
   * How numbers mean colours.
   */
  color: Color;
  /**
   * Frames per second: the average over the file.
   */
  frame_rate: FrameRate;
  /**
   * Stored rows, before orientation and pixel shape.
   */
  height: number;
  /**
   * The stream's number in the file.
   */
  index: number;
  /**
   * How the stored picture is to be turned for display.
   */
  orientation: Orientation;
  /**
   * Width of a pixel divided by its height, in the stored picture.
   */
  pixel_aspect: number;
  /**
   * FFmpeg's name of the pixel format (`yuv420p10le`).
   */
  pixel_format: string;
  /**
   * When the first frame shows, on the source's timeline.
   */
  start: Timestamp;
  /**
   * Whether frames last differently long.
   */
  variable_rate: boolean;
  /**
   * Stored columns, before orientation and pixel shape.
   */
  width: number;
}
/**
 * How a stored picture is turned for display: mirrored left to right first if `mirrored`, then turned clockwise.
 */
export interface Orientation {
  /**
   * Clockwise degrees: 0, 90, 180 or 270.
   */
  clockwise: number;
  /**
   * Whether left and right change places before the turn.
   */
  mirrored: boolean;
}
/**
 * Options of an `OnnxTracker`.
 */
export interface OnnxTrackerOptions {
  /**
   * The detector's confidence threshold, 0 to 1. `None`, the default, uses the threshold of the
   * model's authors (UltraFace 0.7, YuNet 0.6). A lower one finds more faces and more false
   * ones. Each track must also reach a peak confidence, at two thirds of the way from the
   * threshold to 1.
   */
  confidence?: number | null;
  /**
   * The ONNX Runtime library to load. `None`, the default, loads the one that
   * `set_library` or `ORT_DYLIB_PATH` names, or else the system's. A
   * process uses one library: the option has no effect once a model is open.
   */
  library?: string | null;
  /**
   * Detections per second, 1 to 30; default 5. More follow fast motion better, and cost one
   * inference each, or a third of one while faces stay or move evenly. Cuts are exact to the
   * frame in any case.
   */
  samples_per_second?: number;
  /**
   * Threads of one inference; default 1, which takes the least CPU time with models this small.
   * 0 starts one per core.
   */
  threads?: number;
}
/**
 * A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and others.
 *
 * What is not set comes from the environment: `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. The key is never written anywhere: not to
 * JSON, logs, errors or manifests.
 *
 * A long video takes many requests, and what a server limits is requests. So its limits are layers here, around each of them, and not around
 * the stage that makes them: one upload of twenty that fails is sent again alone, and a rate counts every upload.
 */
export interface OpenAiServer {
  /**
   * The address below which the API's paths lie, such as `http://localhost:8000/v1`.
   */
  base_url?: string | null;
  /**
   * What goes around each request, the first next to it. Default: a `Retry`, which is all that ever tries a request again; none, and each is
   * sent once. Clones of a server count together: give one to the transcriber and to the scorer, and its rate holds for both; what is read
   * from JSON counts by itself. A cache has no place here, but around the stage.
   */
  layers?: LayerConfig[];
  /**
   * The organisation to charge.
   */
  organization?: string | null;
}
/**
 * Transcribes by a Whisper-style API: OpenAI's, or any server that speaks it.
 *
 * The sound is taken out as mono M4A (about 6 kB a second), cut at pauses into stretches of some ten minutes that overlap, sent a few at a
 * time, and the words are put together again. Stretches that nobody speaks in are not sent.
 *
 * `whisper-1` and its kin answer with word times. Where a model answers with sentences alone, words share a sentence's time by their length;
 * where it gives no times at all (`gpt-4o-transcribe` and its kin), it is sent a few seconds at a time, from pause to pause, and words are put
 * where the voice is. A warning says so either way.
 *
 * Each request is made inside the server's layers (`OpenAiServer.layers`): one that fails is sent again alone, not all of the video.
 */
export interface OpenAiTranscriberOptions {
  /**
   * The language as ISO 639-1 (`en`), where known. Default: the server finds out.
   */
  language?: string | null;
  /**
   * The model. Default `whisper-1`, the one of OpenAI's with word times.
   */
  model?: string;
  /**
   * Names and terms to spell as given here, or a sentence in the style to write in. `whisper-1` heeds the last 224 tokens.
   */
  prompt?: string | null;
  /**
   * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
   */
  server?: OpenAiServer;
  /**
   * How long the answer to one stretch may take, in seconds; then it is sent again, as the server's layers say. Default 600.
   */
  timeout_secs?: number;
  /**
   * How many stretches are sent at once. Default 3.
   */
  uploads?: number;
}
/**
 * Which stage does what, and what is asked of them. Everything has a default; unknown fields are refused.
 */
export interface PipelineConfig {
  /**
   * What goes around each stage, the first of a list next to it: `{"transcribe": [{"retry": {}}, {"cache": {}}]}`. The order matters: see
   * `StageExt`. By default, what a model or an API answers is cached in the user's cache folder, and nothing else has layers; a list takes
   * the default's place, so `{"track": []}` looks at every span anew.
   *
   * They go around the stages that are given to a builder, too. What may stand in for a stage
   * (`ClipOptions.degrade`) is outside its layers, and is not cached. What a server limits
   * stands around its requests, by default a retry:
   * `OpenAiServer.layers`.
   */
  layers?: {
    [k: string]: LayerConfig[];
  };
  /**
   * What clips are made, and how many.
   */
  options?: ClipOptions;
  /**
   * Where clips are published: every clip goes to each of them. Default: the folder `clips`.
   */
  publishers?: PublisherConfig[];
  /**
   * How plans become files. Default `ffmpeg`.
   */
  renderer?: RendererConfig;
  /**
   * How spans are chosen. Default `auto`.
   */
  scorer?: ScorerConfig;
  /**
   * Where videos come from. Default `file`.
   */
  source?: SourceConfig;
  /**
   * How faces and shots are found. Default `auto`.
   */
  tracker?: TrackerConfig;
  /**
   * How words and their times are found. Default `auto`.
   */
  transcriber?: TranscriberConfig;
}
/**
 * What a language model costs, in US dollars for a million tokens.
 */
export interface Price {
  /**
   * For tokens that it reads.
   */
  input: number;
  /**
   * For tokens that it writes, thoughts included.
   */
  output: number;
}
/**
 * What `Pipeline.plan_all` answers: the clips that would be made.
 */
export interface Planned {
  /**
   * The clips that could not be planned, best first, with the error of each.
   */
  failed?: FailedClip[];
  /**
   * The input.
   */
  media: Media;
  /**
   * One plan a clip, best first.
   */
  plans: RankedPlan[];
  /**
   * What was asked of paid models, and what it cost.
   */
  usage: Usage[];
  /**
   * What went less well than asked; a clip's rank stands in `Warning.clip`.
   */
  warnings: Warning[];
}
/**
 * A plan and its place in the ranking, which numbers its files.
 */
export interface RankedPlan {
  /**
   * The plan.
   */
  plan: ClipPlan;
  /**
   * The place, from 1.
   */
  rank: number;
}
/**
 * A clip to publish, for a `Publisher`.
 *
 * A publisher reads the files and never moves or changes them: several publishers may get the
 * same post.
 */
export interface Post {
  /**
   * Which clip it is.
   */
  clip: ClipId;
  /**
   * The text below the clip. Empty for none.
   */
  description?: string;
  /**
   * The files.
   */
  files: PostFiles;
  /**
   * The language that is spoken, as a BCP 47 tag. `None` where it is not known.
   */
  language?: string | null;
  /**
   * Whether the clip is made for children, as platforms ask. Default `false`.
   */
  made_for_kids?: boolean;
  /**
   * Who can see it. Default: everybody.
   */
  privacy?: Privacy;
  /**
   * When it becomes visible, in RFC 3339. `None` publishes at once.
   */
  publish_at?: string | null;
  /**
   * Its place in the ranking, from 1. It numbers file names and decides nothing else.
   */
  rank?: number;
  /**
   * Whether the clip shows realistic synthetic media, as platforms ask. Default `false`.
   */
  synthetic?: boolean;
  /**
   * Tags, without `#`.
   */
  tags?: string[];
  /**
   * The title.
   */
  title: string;
}
/**
 * The files of a `Post`, on this machine.
 */
export interface PostFiles {
  /**
   * The captions on the clip's timeline, as SRT. `None` for a clip without captions.
   */
  captions?: string | null;
  /**
   * The cover picture, a JPEG.
   */
  cover?: string | null;
  /**
   * The clip plan, as JSON.
   */
  plan?: string | null;
  /**
   * The MP4 file.
   */
  video: string;
}
/**
 * A rendered clip: files below `Context.scratch`, or wherever the
 * step that rendered it was told to put them.
 */
export interface RenderedClip {
  /**
   * The cover picture: a JPEG of the output's size.
   */
  cover: string;
  /**
   * How long it plays.
   */
  duration: Timestamp;
  /**
   * Number of frames.
   */
  frames: number;
  /**
   * The MP4 file.
   */
  video: string;
}
/**
 * The number, lengths and topics of the clips that a `Scorer` chooses.
 */
export interface ScoreOptions {
  /**
   * The requested topics, each a word or a short phrase ("machine learning"). Default empty: any
   * topic.
   */
  about?: string[];
  /**
   * The topics to avoid. Default empty.
   */
  avoid?: string[];
  /**
   * The kind of video, which sets the weights of the score components. Default `None`: balanced
   * weights.
   */
  genre?: Genre | null;
  /**
   * The maximum length of a clip; in JSON, seconds. Default 60 s.
   */
  max?: number;
  /**
   * The maximum number of clips. Default 10.
   */
  max_clips?: number;
  /**
   * The minimum length of a clip; in JSON, seconds. Default 15 s.
   */
  min?: number;
}
/**
 * The input of a `Scorer`.
 */
export interface Scoring {
  /**
   * The source file; `None` if only its transcript is known.
   */
  media?: Media | null;
  /**
   * The number, lengths and topics of the clips.
   */
  options?: ScoreOptions;
  /**
   * The transcript of the source.
   */
  transcript: Transcript;
}
/**
 * What was said, word by word.
 *
 * Words stand in order of `start`; a word ends at or after its start, and normally before the next one starts.
 */
export interface Transcript {
  /**
   * BCP 47 tag (`en`), where known.
   */
  language?: string | null;
  /**
   * Where the words come from, for people: a file's name, a model's name.
   */
  origin?: string;
  /**
   * The words.
   */
  words: Word[];
}
/**
 * One spoken word, with the punctuation that is written with it.
 */
export interface Word {
  /**
   * When its sound ends.
   */
  end: Timestamp;
  /**
   * Who says it, where known.
   */
  speaker?: string | null;
  /**
   * When its sound starts.
   */
  start: Timestamp;
  /**
   * As written: `world.`
   */
  text: string;
}
/**
 * Where a publisher publishes: a platform or a kind of place, and the account there.
 */
export interface Target {
  /**
   * The account, the bucket or the folder. `None` where there is only one.
   */
  account?: string | null;
  /**
   * The platform, or the kind of place: `folder`, `s3`, `youtube`.
   */
  name: string;
}
/**
 * The input of a `FaceTracker`.
 */
export interface Tracking {
  /**
   * The video.
   */
  media: Media;
  /**
   * The span to analyse, on the source's timeline.
   */
  span: Span;
}
/**
 * What a tracker saw in a span.
 */
export interface Tracks {
  /**
   * One track a person and shot. Empty where no face was seen.
   */
  faces: FaceTrack[];
  /**
   * The camera shots, in order, without gaps: they cover the span. Empty where the tracker did not look.
   */
  shots: Shot[];
  /**
   * What else draws the eye: something that moves, say. At most one at a time. A shot with faces is framed by them alone.
   */
  subjects?: SubjectTrack[];
}
