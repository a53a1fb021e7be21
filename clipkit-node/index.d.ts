// Made by scripts/types.mjs from lib/.
type Animation$1 = "none" | "karaoke" | "pop" | "box";
type Aspect = "9:16" | "1:1" | "4:5" | "16:9";
type Timestamp = number;
type Rgb = string;
type CaptionStyleGiven = string | {
	[k: string]: unknown;
};
type CuePlace = {
	bottom: number;
} | {
	middle: number;
};
type Genre = "podcast" | "lecture" | "gaming" | "news";
type LayoutChoice = "auto" | "fill" | "split" | "fit" | "pip";
type Platform = "shorts" | "tiktok" | "reels" | "generic";
type X264Preset = "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium" | "slow" | "slower" | "veryslow";
type Layout = {
	/**
	 * The window.
	 */
	crop: Crop;
	kind: "fill";
} | {
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
} | {
	kind: "fit";
	/**
	 * The window and where it is shown.
	 */
	pane: Pane;
} | {
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
type Half = "top" | "bottom";
type ShotContent = "camera" | "screen";
type ContentId = string;
type Hdr = "pq" | "hlg";
/**
 * What went wrong, as a class a program can act on.
 */
export type ErrorKind = "not_found" | "invalid_input" | "no_transcript" | "nothing_found" | "invalid_plan" | "config" | "cancelled" | "io" | "decode" | "encode" | "captions" | "unavailable" | "network" | "rate_limited" | "denied" | "timed_out" | "contract";
/**
 * Something that happened in a run, for progress bars and logs.
 */
type Event$1 = {
	/**
	 * The clip, from 1 in order of rank.
	 */
	clip?: number | null;
	event: "started";
	/**
	 * The stage.
	 */
	stage: Stage;
} | {
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
} | {
	/**
	 * The clip, from 1 in order of rank.
	 */
	clip?: number | null;
	event: "finished";
	/**
	 * The stage.
	 */
	stage: Stage;
} | {
	/**
	 * How many clips will be made.
	 */
	clips: number;
	event: "planned";
} | {
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
} | (Warning & {
	event: "warning";
}) | (ManifestClip & {
	event: "clip";
});
/**
 * The stages of the pipeline, in order.
 */
export type Stage = "source" | "transcribe" | "score" | "track" | "plan" | "render" | "publish";
/**
 * A layer by name, as it stands in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`.
 */
export type LayerConfig = {
	retry: Retry;
} | {
	rate_limit: RateLimit;
} | {
	concurrency: Concurrency;
} | {
	timeout: Timeout;
} | {
	cache: Cache$1;
};
type PublisherConfig = {
	/**
	 * Whether an existing manifest keeps its other clips: `Folder.keep_others`. Default no.
	 */
	keep_others?: boolean;
	kind: "folder";
	/**
	 * The folder, made if it is missing.
	 */
	path: string;
};
type RendererConfig = {
	kind: "ffmpeg";
};
type ScorerConfig = {
	kind: "auto";
} | {
	kind: "heuristic";
} | {
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
type SourceConfig = {
	kind: "file";
};
type TrackerConfig = {
	kind: "auto";
	/**
	 * A model's name or the path of its file; none is the default face detector.
	 */
	model?: string | null;
} | {
	kind: "onnx";
	/**
	 * A model's name or the path of its file; none is the default face detector.
	 */
	model?: string | null;
} | {
	kind: "motion";
} | {
	kind: "center";
};
type TranscriberConfig = {
	kind: "auto";
	/**
	 * The local model's folder; none is `speech` in the folder of `CLIPKIT_MODELS`, else in the cache, else
	 * `Model.DEFAULT_SPEECH` where it was downloaded.
	 */
	model?: string | null;
	/**
	 * How the API is asked, if it comes to that.
	 */
	openai?: OpenAiTranscriberOptions;
} | {
	/**
	 * The transcript; none looks beside the video and inside it.
	 */
	file?: string | null;
	kind: "captions";
} | {
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
} | {
	kind: "local";
	/**
	 * The language that is spoken, as ISO 639-1 (`en`), for what comes after: such models find it out or know but one, and do not say it.
	 */
	language?: string | null;
	/**
	 * The model's folder, or the name of a known one, which is downloaded if it is missing. None is the folder that `auto` would take, else
	 * `Model.DEFAULT_SPEECH`.
	 */
	model?: string | null;
};
interface AudioStream {
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
interface Cache$1 {
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
	animation: Animation$1;
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
interface Emphasis {
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
interface CaptionTrack {
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
interface Cue {
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
interface CueWord {
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
interface Clip {
	/**
	 * The cover picture, a JPEG of the output's size.
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
interface ClipOptions {
	/**
	 * What clips should be about; empty for anything. A word, or a few that belong together.
	 */
	about?: string[];
	/**
	 * The shape of the picture, where the renderer was not set up for a size of its own. Default 9:16.
	 */
	aspect?: Aspect;
	/**
	 * How many of them may be in one stage at a time, where that is fewer: `{"publish": 1}` hands over one by one. Default: no limit but `jobs`.
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
interface HookStyle {
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
interface Loudness {
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
interface FaceSample {
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
interface Hook {
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
interface Output {
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
interface FrameRate {
	/**
	 * ... in this many seconds.
	 */
	den: number;
	/**
	 * Frames ...
	 */
	num: number;
}
interface Scene {
	/**
	 * How the picture is arranged.
	 */
	layout: Layout;
	/**
	 * Where it is, on the clip's timeline.
	 */
	span: Span;
}
interface Crop {
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
interface CropKey {
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
interface Speaking {
	/**
	 * When, on the clip's timeline.
	 */
	from: Timestamp;
	/**
	 * Which half; none where nobody, or somebody else, speaks.
	 */
	half?: Half | null;
}
interface Pane {
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
interface PlanSource {
	/**
	 * How long it plays.
	 */
	duration: Timestamp;
	/**
	 * Rows of the picture as displayed.
	 */
	height: number;
	/**
	 * What it was, so that another file of the same name is noticed.
	 */
	id: ContentId;
	/**
	 * Where it was when the plan was made. A relative path is looked up from the working folder.
	 */
	path: string;
	/**
	 * Columns of the picture as displayed.
	 */
	width: number;
}
interface SubjectTrack {
	/**
	 * Where it was, in order of time. Never empty.
	 */
	samples: SubjectSample[];
}
interface SubjectSample {
	/**
	 * The frame's time; in `Tracks` on the source's timeline, in a plan on the clip's.
	 */
	at: Timestamp;
	/**
	 * The box around it, in the displayed picture.
	 */
	rect: Rect;
}
interface Color {
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
interface Concurrency {
	at_once?: number;
}
/**
 * Something that went less well than asked, and what was done instead.
 */
export interface Warning {
	/**
	 * The clip concerned, counted from 1 in order of rank; none where the whole run is.
	 */
	clip?: number | null;
	/**
	 * One line for a person: what happened, what was done instead, how to avoid it.
	 */
	message: string;
	/**
	 * The stage that degraded.
	 */
	stage: Stage;
}
interface ManifestClip {
	/**
	 * Its cover, likewise.
	 */
	cover?: string | null;
	/**
	 * The clip, relative to the output folder, or its address.
	 */
	file: string;
	/**
	 * A line that makes people stay, for whoever posts the clip; none where nobody wrote one.
	 */
	hook_line?: string | null;
	/**
	 * Its plan, likewise.
	 */
	plan?: string | null;
	/**
	 * Why it was chosen.
	 */
	reason: string;
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
	 * What went less well than asked.
	 */
	warnings: Warning[];
}
interface FrameOptions {
	/**
	 * The longer side in pixels, where that is less than the video's. Default: as large as the video. Smaller is faster, and most face
	 * detectors look at 320 or 640.
	 */
	longest?: number | null;
	/**
	 * How many a second at most; those in between are decoded and left out. Default: every frame.
	 */
	per_second?: number | null;
}
interface Retry {
	attempts?: number;
	factor?: number;
	first?: number;
	longest?: number;
}
interface RateLimit {
	per_day?: number | null;
	per_minute?: number | null;
}
interface Timeout {
	seconds?: number;
}
interface Manifest {
	/**
	 * The clips, best first.
	 */
	clips: ManifestClip[];
	/**
	 * The input.
	 */
	source: PlanSource;
	/**
	 * Where the time went.
	 */
	timings: Timing;
	/**
	 * What was asked of paid models, and what it cost: one entry for each stage and model. Empty where nothing was asked of any.
	 */
	usage?: Usage[];
	/**
	 * The version of this document: `Manifest.VERSION`.
	 */
	version: number;
	/**
	 * What went less well than asked in the run as a whole, and clips that failed.
	 */
	warnings: Warning[];
}
interface Timing {
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
	 * What the file is.
	 */
	id: ContentId;
	/**
	 * Where the file is.
	 */
	path: string;
	/**
	 * Subtitle streams, in file order.
	 */
	subtitles: SubtitleStream[];
	/**
	 * The picture that a player would show; none in a sound file.
	 */
	video?: VideoStream | null;
}
interface SubtitleStream {
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
interface VideoStream {
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
interface Orientation {
	/**
	 * Clockwise degrees: 0, 90, 180 or 270.
	 */
	clockwise: number;
	/**
	 * Whether left and right change places before the turn.
	 */
	mirrored: boolean;
}
interface OnnxTrackerOptions {
	/**
	 * How sure the detector must be of a face, 0 to 1; by default what the model's authors use (UltraFace 0.7, YuNet 0.6).
	 * Less finds more faces, and more that are none. Once, it must be surer of each: a third of the doubt that this leaves.
	 */
	confidence?: number | null;
	/**
	 * The ONNX Runtime library to load. By default the one that `ORT_DYLIB_PATH` names, else that of an installed Python package
	 * `onnxruntime`, else the system's. A process loads one, the first asked for.
	 */
	library?: string | null;
	/**
	 * How often a second faces are looked at, 1 to 30; default 5. More follows fast movement better, and costs one inference each, or
	 * a third of one where faces stay or move evenly. Cuts are found to the frame in any case.
	 */
	samples_per_second?: number;
	/**
	 * Threads for one inference; default 1, which takes the least of the processor for models as small as these. 0 takes one a core.
	 */
	threads?: number;
}
interface OpenAiServer {
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
interface OpenAiTranscriberOptions {
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
	 * What steps in for a stage stands outside its layers: captions before an API, the heuristic after one, the crop in the middle. What a server
	 * limits stands around its requests, by default a retry: `OpenAiServer.layers`.
	 */
	layers?: {
		[k: string]: LayerConfig[];
	};
	/**
	 * What clips are made, and how many.
	 */
	options?: ClipOptions;
	/**
	 * Where clips go. Default: the folder `clips`.
	 */
	publisher?: PublisherConfig;
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
interface Price {
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
 * What `Pipeline.plan` answers: the clips that would be made.
 */
export interface Planned {
	/**
	 * The input.
	 */
	media: Media;
	/**
	 * One plan a clip, best first. A rank is missing where a plan could not be made.
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
 * A clip and what goes with it, for a `Publisher`.
 */
export interface Post {
	/**
	 * The files.
	 */
	clip: Clip;
	/**
	 * What was rendered; title, reason and score stand here.
	 */
	plan: ClipPlan;
	/**
	 * Its place in the ranking, from 1.
	 */
	rank: number;
}
/**
 * Where a publisher put a clip.
 */
export interface Receipt {
	/**
	 * The cover's place, where it was published too.
	 */
	cover?: string | null;
	/**
	 * The clip's place: a path relative to the publisher's folder, or an address.
	 */
	file: string;
	/**
	 * The plan's place, where it was published too.
	 */
	plan?: string | null;
}
interface ScoreOptions {
	/**
	 * What clips should be about; empty for anything. A word, or a few that belong together ("machine learning").
	 */
	about?: string[];
	/**
	 * What clips should not be about.
	 */
	avoid?: string[];
	/**
	 * What kind of video this is: it decides what counts in a clip. Default: a bit of everything.
	 */
	genre?: Genre | null;
	/**
	 * The longest clip; in JSON, seconds. Default 60 s.
	 */
	max?: number;
	/**
	 * The most clips wanted. Default 10.
	 */
	max_clips?: number;
	/**
	 * The shortest clip; in JSON, seconds. Default 15 s.
	 */
	min?: number;
}
/**
 * What a `Scorer` is given.
 */
export interface Scoring {
	/**
	 * The video; none where only its transcript is at hand.
	 */
	media?: Media | null;
	/**
	 * What is asked for.
	 */
	options?: ScoreOptions;
	/**
	 * What is said in it.
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
 * What a `FaceTracker` is given.
 */
export interface Tracking {
	/**
	 * The video.
	 */
	media: Media;
	/**
	 * The stretch to look at, on the source's timeline.
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
/** A clip that was made: an entry of the manifest, which also knows where its files are. */
declare class Clip$1 {
	#private;
	/** The clip's file; its address, where a publisher of yours put it elsewhere. */
	get path(): string;
	/** The file of its plan, where there is one. */
	get planPath(): string | null;
	/** The file of its cover, where there is one. */
	get coverPath(): string | null;
	/** Its plan, to be changed and rendered again. */
	readPlan(): Promise<documents.ClipPlan>;
}
interface Clip$1 extends documents.ManifestClip {
}
/** What a run made: the content of `clips.json`. */
type Manifest$1 = Omit<documents.Manifest, "clips"> & {
	clips: Clip$1[];
};
/** How far a stage is: 0 to 1, of the run or of the clip of that rank. */
export type Progress = Extract<Event$1, {
	event: "progress";
}>;
/** What every call that takes a while can be given. */
export interface RunOptions {
	/** Stops the work: it ends within a second, and nothing half made stays. Not awaiting a promise stops nothing. */
	signal?: AbortSignal;
	/** Hears everything that happens. Progress comes at most ten times a second. What it throws ends the run and is thrown there. */
	onEvent?: (event: Event$1) => void;
	/** Hears how far stages are. */
	onProgress?: (progress: Progress) => void;
}
/** How a context is set up. */
export interface ContextOptions extends RunOptions {
	/** The folder in which scratch space is made. Default: where the clips go, else the system's folder for temporary files. */
	scratch?: string;
	/** The most that all work under this context may cost together, in US dollars. */
	maxCost?: number;
	/** For one piece of work; 0, the default, leaves it to each library. */
	threads?: number;
}
/**
 * What a stage is given besides its input: cancellation, progress, warnings, scratch space, accounts.
 *
 * A stage of yours gets one. Make one yourself to use stages alone, or to have several calls under one budget.
 */
export declare class Context {
	#private;
	constructor(options?: ContextOptions);
	/** Asks everything that runs under this context to stop. */
	cancel(): void;
	/** Stops what runs under this context and removes its scratch space: for contexts of your own, when you have what you want. */
	close(): void;
	/** Whether someone asked to stop. */
	get cancelled(): boolean;
	/** Throws a `ClipkitError` with code `cancelled` if someone asked to stop. Long loops call it once a turn. */
	check(): void;
	/** Aborted when someone asks to stop: for `fetch` and its kin. */
	get signal(): AbortSignal;
	/** The stage that this context speaks for. */
	get stage(): Stage | null;
	/** The clip that this context speaks for, from 1 in order of rank. */
	get clip(): number | null;
	/** How many threads one piece of work should use; 0 leaves it to each library. */
	get threads(): number;
	/** Says how far this context's stage is, 0 to 1. */
	progress(fraction: number): void;
	/** Leaves a warning in the result and the events. */
	warn(message: string): void;
	/** The warnings left so far. */
	get warnings(): Warning[];
	/** Enters what was asked of a paid service. It ends up in the manifest. */
	spend(usage: Partial<Usage> & {
		model: string;
	}): void;
	/** What was spent so far. */
	get usage(): Usage[];
	/** What may still be spent, in US dollars; null where there is no budget. */
	get budgetLeft(): number | null;
	/** A folder for temporary files, removed when the run ends; that of a context of your own, when that is closed or collected. */
	get scratch(): string;
	/** Waits, unless someone asks to stop: then it throws at once. `reason` is told to whoever listens. */
	sleep(seconds: number, reason?: string): Promise<void>;
}
interface Inputs {
	source: string;
	transcriber: documents.Media;
	scorer: documents.Scoring;
	tracker: documents.Tracking;
	renderer: documents.ClipPlan;
	publisher: documents.Post;
}
interface Outputs {
	source: documents.Media;
	transcriber: documents.Transcript;
	scorer: documents.Candidate[];
	tracker: documents.Tracks;
	renderer: documents.Clip;
	publisher: documents.Receipt;
}
type Kind = keyof Inputs;
/** A span that could become a clip, as a scorer of yours may answer it: with its ends, and its score as one number from 0 to 100. */
export interface CandidateLike {
	start?: number;
	end?: number;
	span?: documents.Span;
	score: number | documents.Score;
	title?: string;
	reason?: string;
	hook_line?: string | null;
}
type Awaitable<T> = T | Promise<T>;
/** Gets a video onto this machine. It may answer the file's path alone: then the file is probed. */
export interface SourceLike {
	fetch(cx: Context, uri: string): Awaitable<documents.Media | string>;
}
/** Says what is spoken in a video, and when: seconds of the source, in order, punctuation with its word. */
export interface TranscriberLike {
	transcribe(cx: Context, media: documents.Media): Awaitable<documents.Transcript>;
	/** What decides the answers besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Chooses and ranks spans, best first: at most `options.max_clips`, from `options.min` to `options.max` seconds, none overlapping. */
export interface ScorerLike {
	score(cx: Context, scoring: documents.Scoring): Awaitable<CandidateLike[]>;
	/** What decides the answers besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Finds shots and faces in a span: seconds of the source, boxes as fractions of the displayed picture. What is left out was not seen. */
export interface TrackerLike {
	track(cx: Context, tracking: documents.Tracking): Awaitable<Partial<documents.Tracks>>;
	/** What decides the answers besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Makes the file that a plan describes, below `cx.scratch`. */
export interface RendererLike {
	render(cx: Context, plan: documents.ClipPlan): Awaitable<documents.Clip>;
	/** Columns and rows that plans are made for. */
	size?: [
		number,
		number
	];
}
/** Hands a rendered clip over. It may answer the clip's place alone. */
export interface PublisherLike {
	publish(cx: Context, post: documents.Post): Awaitable<documents.Receipt | string>;
	/** Is told what a run made, after its last clip. */
	conclude?(cx: Context, manifest: documents.Manifest): Awaitable<void>;
	/** The folder on whose file system clips are best rendered. */
	staging?: string;
}
interface Likes {
	source: SourceLike;
	transcriber: TranscriberLike;
	scorer: ScorerLike;
	tracker: TrackerLike;
	renderer: RendererLike;
	publisher: PublisherLike;
}
/** What clips are made, and how many. */
type ClipOptions$1 = Omit<Partial<documents.ClipOptions>, "max_cost" | "at_once"> & {
	/** The most that a run may cost, in US dollars. */
	maxCost?: number | null;
	/** How many clips may be in one stage at a time, where that is fewer than `jobs`. */
	atOnce?: Partial<Record<documents.Stage, number>>;
};
/** The stages: built-in ones, objects of yours, or configurations as in a pipeline's document. What is left out is chosen as the command does. */
export interface StageOptions {
	source?: Likes["source"] | documents.SourceConfig;
	transcriber?: Likes["transcriber"] | documents.TranscriberConfig;
	scorer?: Likes["scorer"] | documents.ScorerConfig;
	tracker?: Likes["tracker"] | documents.TrackerConfig;
	renderer?: Likes["renderer"] | documents.RendererConfig;
	publisher?: Likes["publisher"] | documents.PublisherConfig;
	/** What goes around each stage, the first of a list next to it. */
	layers?: Partial<Record<documents.Stage, documents.LayerConfig[]>>;
}
/** What a pipeline is made of. A pipeline's document (`PipelineConfig`) is one, too. */
export type PipelineOptions = StageOptions & ClipOptions$1 & {
	options?: ClipOptions$1 | documents.ClipOptions;
};
/** What {@link clip} is given. */
export type ClipRequest = StageOptions & ClipOptions$1 & RunOptions & {
	/** The folder for the clips. Default `clips`. */
	out?: string;
	/** The file of a transcript that exists already. Default: the one beside the video or inside it. */
	transcript?: string;
};
/** What {@link Pipeline.events} tells: what happens, and last what was made. */
export type RunEvent = documents.Event | ({
	event: "manifest";
} & Manifest$1);
/** Six stages and what is asked of them. One pipeline may run many times, also at once. */
export declare class Pipeline {
	#private;
	constructor(options?: PipelineOptions);
	/** Makes clips of the video at `input`, which the source understands, and hands them to the publisher. */
	run(input: string, options?: RunOptions | Context): Promise<Manifest$1>;
	/** Plans clips and makes none. */
	plan(input: string, options?: RunOptions | Context): Promise<documents.Planned>;
	/** Makes the clips that plans describe: plans with their rank, as `plan` answers them, or plans alone, ranked as they come. */
	render(plans: (documents.RankedPlan | documents.ClipPlan)[], options?: RunOptions | Context): Promise<Manifest$1>;
	/** Runs, and tells what happens as it does; the last event is the manifest. Leaving the loop stops the run. */
	events(input: string, options?: RunOptions): AsyncGenerator<RunEvent, void, undefined>;
}
/**
 * Makes clips of a video: ranked, vertical, captioned.
 *
 * ```js
 * for (const c of await clip("talk.mp4", { out: "clips", clips: 8 })) console.log(c.path, c.score.total, c.title);
 * ```
 */
export declare function clip(input: string, request?: ClipRequest): Promise<Clip$1[]>;
/** A picture as a viewer sees it: upright, with square pixels. */
export interface Frame {
	/** When it shows, in seconds of the source. */
	at: number;
	width: number;
	height: number;
	/** Red, green and blue of each pixel, row by row from the top left, without padding: `3 * width * height` bytes. */
	data: Buffer;
}
/** Which pictures, and how large. */
interface FrameOptions$1 {
	/** How many a second at most. Default: every frame. */
	perSecond?: number;
	/** The longer side in pixels, where that is less than the video's. */
	longest?: number;
}
/**
 * The pictures that show during a span, in order. They are decoded beside the event loop, two ahead; leaving the loop ends that.
 *
 * ```js
 * for await (const { at, width, height, data } of frames(cx, media, span, { perSecond: 5, longest: 320 })) { ... }
 * ```
 */
declare function frames$1(cx: Context | RunOptions | null | undefined, media: documents.Media, span: documents.Span, options?: FrameOptions$1): AsyncGenerator<Frame, void, undefined>;
interface ModelInfo {
	id: string;
	about: string;
	license: string;
	file: string;
	url: string;
	sha256: string;
	/** The length of all its files. */
	bytes: number;
}
/** What to do next about an error. */
export interface Recovery {
	/** The same call may work again; new credentials, other encoder settings or time may help; or nothing will. */
	action: "retry" | "refresh_credentials" | "reencode" | "wait_until" | "give_up";
	/** For `retry`: how long the other side asked to wait, in seconds. */
	after?: number;
	/** For `wait_until`: the moment, in seconds since 1970. */
	until?: number;
}
/** What is known of an error besides its code and message. */
export interface ErrorDetails {
	stage?: Stage | null;
	recovery?: Recovery;
	path?: string | null;
	at?: number | null;
	url?: string | null;
	advice?: string | null;
	cause?: unknown;
}
/**
 * The one error of this package. What a stage of yours throws is not wrapped: it comes back as it is.
 *
 * A stage of yours may throw one, to say what went wrong (`code`) and whether trying again may help (`recovery`): layers such as `Retry` heed it.
 */
export declare class ClipkitError extends Error {
	readonly name = "ClipkitError";
	/** What went wrong, as a class to branch on. */
	readonly code: ErrorKind;
	/** The stage that failed, where one did. */
	readonly stage: Stage | null;
	/** What to do next. */
	readonly recovery: Recovery;
	/** The file concerned. */
	readonly path: string | null;
	/** The moment in the file concerned, in seconds. */
	readonly at: number | null;
	/** The address concerned, without its secrets. */
	readonly url: string | null;
	/** What a person can do, where that is known. The message ends with it. */
	readonly advice: string | null;
	constructor(code: ErrorKind, message: string, details?: ErrorDetails);
}
/** What stands inside a layer of yours: the stage, or the next layer. */
export type Next<I, O> = (cx: Context, input: I) => Promise<O>;
/** A layer of your own: it answers a call with the help of what stands inside, called as often as it likes. */
export interface CustomLayer<I = any, O = any> {
	call(cx: Context, input: I, next: Next<I, O>): O | Promise<O>;
}
/**
 * A layer that comes with clipkit. It goes around what stands before it, so the last one is outermost; the order matters. From the stage
 * outwards: `Timeout`, `Concurrency`, `RateLimit`, `Retry`, `Cache`. Stages that are given the same object share what it counts and keeps.
 */
export declare abstract class BuiltInLayer {
}
/** Calls again what failed, where the error's `recovery` says that this may help: after 5 s, 10 s, ..., or as the other side asks. */
declare class Retry$1 extends BuiltInLayer {
	/**
	 * `attempts`: the first included; default 3. `first`: the wait after it, in seconds; default 5. `factor`: how many times longer each wait
	 * is; default 2. `longest`: the longest wait in seconds, default 600; where a longer one is asked for, the error is passed on.
	 */
	constructor(options?: {
		attempts?: number;
		first?: number;
		factor?: number;
		longest?: number;
	});
}
/** Lets so many calls begin in any minute, in any day; the others wait their turn. Inside `Retry`, so that each attempt counts. */
declare class RateLimit$1 extends BuiltInLayer {
	/** `perMinute`: default 5; null counts days alone. `perDay`: default no limit. */
	constructor(options?: {
		perMinute?: number | null;
		perDay?: number;
	});
}
/** Lets so many calls run at a time, in all runs together. */
declare class Concurrency$1 extends BuiltInLayer {
	/** `atOnce`: default 1. */
	constructor(options?: {
		atOnce?: number;
	});
}
/** Cancels what takes too long; the error (`timed_out`) may be retried. Next to the stage, so that no wait counts. */
declare class Timeout$1 extends BuiltInLayer {
	/** `seconds`: for one call; default 600. */
	constructor(options?: {
		seconds?: number;
	});
}
/** Does the same work once: for transcribers, scorers and trackers. Outside all other layers. */
declare class Cache$1 extends BuiltInLayer {
	/**
	 * `store`: a folder, or an address (`s3://bucket/prefix`, `gs://`, `az://`, `memory:///`); default the user's cache folder. `keep`: seconds;
	 * default 7 days. `about`: what decides the stage's answers besides its input, in place of what it says itself (`fingerprint`).
	 */
	constructor(options?: {
		store?: string;
		keep?: number;
		about?: string;
	});
}
type Cx = Context | RunOptions | null | undefined;
declare abstract class AnyStage<K extends Kind> {
	/** This stage inside a layer. The last layer is outermost, and the order matters. */
	layer(layer: BuiltInLayer | CustomLayer<Inputs[K], Outputs[K]>): Faces[K];
	/** This stage, and `other` where it fails; the step down leaves a warning. */
	or(other: Likes[K]): Faces[K];
}
/** What goes with a stage's configuration. */
export interface DescribedOptions extends RunOptions {
	/** What goes around it, the first next to it. Default: a cache around what a model or an API answers. */
	layers?: documents.LayerConfig[];
}
/** Gets a video onto this machine and says what is in it. Extend it, or give an object with `fetch`. */
export declare abstract class Source extends AnyStage<"source"> {
	protected get kind(): "source";
	/** Gets the video at an address that this source understands. */
	fetch(cx: Cx, uri: string): Promise<documents.Media>;
	/** An object with `fetch` as a source, for layers around it. */
	static from(source: Likes["source"]): Source;
	/** The source that a pipeline's document describes. */
	static fromConfig(config: documents.SourceConfig, options?: DescribedOptions): Promise<Source>;
}
/** Says what is spoken in a video, and when. Extend it, or give an object with `transcribe`. */
export declare abstract class Transcriber extends AnyStage<"transcriber"> {
	protected get kind(): "transcriber";
	/** Transcribes the whole video. */
	transcribe(cx: Cx, media: documents.Media): Promise<documents.Transcript>;
	/** An object with `transcribe` as a transcriber, for layers around it. */
	static from(transcriber: Likes["transcriber"]): Transcriber;
	/** The transcriber that a pipeline's document describes. */
	static fromConfig(config: documents.TranscriberConfig, options?: DescribedOptions): Promise<Transcriber>;
}
/** Chooses the spans that are worth a clip. Extend it, or give an object with `score`. */
export declare abstract class Scorer extends AnyStage<"scorer"> {
	protected get kind(): "scorer";
	/** Chooses the spans, best first. */
	score(cx: Cx, scoring: documents.Scoring): Promise<documents.Candidate[]>;
	/** An object with `score` as a scorer, for layers around it. */
	static from(scorer: Likes["scorer"]): Scorer;
	/** The scorer that a pipeline's document describes. */
	static fromConfig(config: documents.ScorerConfig, options?: DescribedOptions): Promise<Scorer>;
}
/** Finds shots and faces in a span of a video. Extend it, or give an object with `track`. */
export declare abstract class FaceTracker extends AnyStage<"tracker"> {
	protected get kind(): "tracker";
	/** Looks at the span. */
	track(cx: Cx, tracking: documents.Tracking): Promise<documents.Tracks>;
	/** An object with `track` as a tracker, for layers around it. */
	static from(tracker: Likes["tracker"]): FaceTracker;
	/** The tracker that a pipeline's document describes. For `onnx` after a download, if the model is missing. */
	static fromConfig(config: documents.TrackerConfig, options?: DescribedOptions): Promise<FaceTracker>;
}
/** Makes the file that a plan describes. Extend it, or give an object with `render`. */
export declare abstract class Renderer extends AnyStage<"renderer"> {
	protected get kind(): "renderer";
	/** Renders the plan into the scratch space of `cx`, so give a context of your own and keep it until you have the files. */
	render(cx: Cx, plan: documents.ClipPlan): Promise<documents.Clip>;
	/** An object with `render` as a renderer, for layers around it. */
	static from(renderer: Likes["renderer"]): Renderer;
	/** The renderer that a pipeline's document describes. */
	static fromConfig(config: documents.RendererConfig, options?: DescribedOptions): Promise<Renderer>;
}
/** Hands rendered clips over. Extend it, or give an object with `publish`. */
export declare abstract class Publisher extends AnyStage<"publisher"> {
	protected get kind(): "publisher";
	/** Publishes one clip. */
	publish(cx: Cx, post: documents.Post): Promise<documents.Receipt>;
	/** Is told what a run made, after its last clip. */
	conclude(cx: Cx, manifest: documents.Manifest): Promise<void>;
	/** An object with `publish` as a publisher, for layers around it. */
	static from(publisher: Likes["publisher"]): Publisher;
	/** The publisher that a pipeline's document describes. */
	static fromConfig(config: documents.PublisherConfig, options?: DescribedOptions): Promise<Publisher>;
}
interface Faces {
	source: Source;
	transcriber: Transcriber;
	scorer: Scorer;
	tracker: FaceTracker;
	renderer: Renderer;
	publisher: Publisher;
}
/** Takes a file on this machine, given by its path. */
export declare class FileSource extends Source {
	constructor();
}
/** A transcript that exists already: SRT, WebVTT, ASS, json3, word times in JSON; a subtitle stream. */
export declare class Captions extends Transcriber {
	/** `file`: the transcript. Default: the one beside the video or inside it. */
	constructor(options?: {
		file?: string;
	});
}
/** A server that speaks OpenAI's API. What is not given comes from `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. */
interface OpenAiServer$1 {
	baseUrl?: string;
	organization?: string;
	/** It is never written anywhere. */
	apiKey?: string;
	/** What goes around each request, the first next to it. Default: a retry. */
	layers?: documents.LayerConfig[];
}
/** Transcribes by a Whisper-style API. */
export declare class OpenAiTranscriber extends Transcriber {
	constructor(options?: OpenAiTranscriberOptions$1);
}
/** What may be set of an {@link OpenAiTranscriber}. */
type OpenAiTranscriberOptions$1 = Omit<documents.OpenAiTranscriberOptions, "server" | "timeout_secs"> & {
	server?: OpenAiServer$1;
	/** How long the answer to one stretch may take, in seconds; default 600. */
	timeoutSecs?: number;
};
/** Transcribes on this machine, by Parakeet TDT and its kin or a CTC model in ONNX. */
export declare class LocalTranscriber extends Transcriber {
	private constructor();
	/** Opens a model by its folder. */
	static load(folder: string, options?: RunOptions): Promise<LocalTranscriber>;
}
/** Chooses spans by rules over the words: hook, completeness, density, emotion. */
export declare class Heuristic extends Scorer {
	constructor(options?: HeuristicOptions);
}
/** What may be set of a {@link Heuristic}; nothing, so far. */
export type HeuristicOptions = Record<string, never>;
/** A language model judges what the heuristic finds, then compares the best. */
export declare class OpenAiScorer extends Scorer {
	constructor(options?: OpenAiScorerOptions);
}
/** What may be set of an {@link OpenAiScorer}. */
export type OpenAiScorerOptions = Omit<Extract<documents.ScorerConfig, {
	kind: "openai";
}>, "kind" | "server" | "timeout_secs"> & {
	server?: OpenAiServer$1;
	/** How long one answer may take, retries included; default 120. */
	timeoutSecs?: number;
};
/** Finds faces with a neural network, and cuts by comparing frames. */
export declare class OnnxTracker extends FaceTracker {
	private constructor();
	/** Opens a face detection model by its name (downloaded if it is missing) or the path of its file. Default: `ultraface-rfb-320`. */
	static load(model?: string, options?: OnnxTrackerOptions$1 & RunOptions): Promise<OnnxTracker>;
}
/** What may be set of an {@link OnnxTracker}. */
interface OnnxTrackerOptions$1 {
	/** How often a second faces are looked at, 1 to 30; default 5. */
	samplesPerSecond?: number;
	/** How sure the detector must be of a face, 0 to 1; default: what the model's authors use. */
	confidence?: number;
	/** Threads for one inference; default 1, which takes the least of the processor. 0 takes one a core. */
	threads?: number;
	/** The ONNX Runtime library to load. A process loads one, the first asked for. */
	library?: string;
}
/** Follows what moves, without a model. */
export declare class MotionTracker extends FaceTracker {
	constructor();
}
/** Does not look: the crop stays in the middle. */
export declare class CenterTracker extends FaceTracker {
	constructor();
}
/** Renders with the FFmpeg libraries, in this process. */
export declare class FfmpegRenderer extends Renderer {
	/**
	 * `size`: columns and rows, both even; default: what the options' `aspect` asks for. `threads`: for one clip; default: the clips that are
	 * rendered at once share the machine's cores.
	 */
	constructor(options?: {
		size?: [
			number,
			number
		];
		threads?: number;
	});
}
/** Puts clips into a folder: `NN-title.mp4`, its plan and cover, and `clips.json` at the end. */
export declare class Folder extends Publisher {
	/** The folder. */
	readonly path: string;
	/** `keepOthers`: whether an existing manifest of the same video keeps its other clips; default no. */
	constructor(path: string, options?: {
		keepOthers?: boolean;
	});
}
/** What is in a video: streams, duration, the identity of its bytes. */
export declare function probe(path: string, options?: RunOptions | Context): Promise<documents.Media>;
/** Draws source frames of a plan with the windows that are shown and the faces that were seen, into a `.png` or `.jpg`. */
export declare function contactSheet(plan: documents.ClipPlan, to: string, options?: RunOptions | Context): Promise<void>;
/** Throws a `ClipkitError` with code `invalid_plan` that says what is wrong with a plan, where something is. */
export declare function checkPlan(plan: documents.ClipPlan): Promise<void>;
/** A caption style in full: a preset by its name, or what is different from one (`{ like: "pop", max_words: 2 }`). */
export declare function captionStyle(style: string | (Partial<documents.CaptionStyle> & {
	like?: string;
})): documents.CaptionStyle;
/** The names of the caption presets. */
export declare const captionStyles: readonly string[];
/** Whether an API is set up: a key, or another address than OpenAI's, given or in the environment. */
export declare function isConfigured(server?: Omit<OpenAiServer$1, "apiKey">): boolean;
/** A model that clipkit knows how to use. */
export type Model = ModelInfo;
/** Finds models on this machine (in `CLIPKIT_MODELS`, then in the user's cache), and downloads those that are missing. */
export declare class ModelStore {
	#private;
	/** `cache`: the folder of downloads, in place of the user's cache. */
	constructor(options?: {
		cache?: string;
	});
	/** All models that are known by name; the default face detector first. */
	static readonly models: readonly Model[];
	/** Where downloads go; null on a machine without a home folder. */
	get cache(): string | null;
	/** Where a model that is known by name is on this machine, if it is. */
	find(id: string): string | null;
	/** The folder of a speech model, if there is one: `speech` in `CLIPKIT_MODELS` or in the cache. */
	findSpeech(): string | null;
	/** The path of a model by name or by its file's path, after a download if it is missing. */
	resolve(model: string, options?: RunOptions | Context): Promise<string>;
}

declare namespace documents {
	export { Animation$1 as Animation, Aspect, AudioStream, Cache$1 as Cache, Candidate, CaptionStyle, CaptionStyleGiven, CaptionTrack, Clip, ClipOptions, ClipPlan, Color, Concurrency, ContentId, Crop, CropKey, Cue, CuePlace, CueWord, Emphasis, ErrorKind, Event$1 as Event, FaceSample, FaceTrack, FrameOptions, FrameRate, Genre, Half, Hdr, Hook, HookStyle, LayerConfig, Layout, LayoutChoice, Loudness, Manifest, ManifestClip, Media, OnnxTrackerOptions, OpenAiServer, OpenAiTranscriberOptions, Orientation, Output, Pane, PipelineConfig, PlanSource, Planned, Platform, Post, Price, PublisherConfig, RankedPlan, RateLimit, Receipt, Rect, RendererConfig, Retry, Rgb, Scene, Score, ScoreOptions, ScorerConfig, Scoring, Shot, ShotContent, SourceConfig, Span, Speaking, Stage, SubjectSample, SubjectTrack, SubtitleStream, Timeout, Timestamp, Timing, TrackerConfig, Tracking, Tracks, TranscriberConfig, Transcript, Usage, VideoStream, Warning, Word, X264Preset };
}

export {
	Cache$1 as Cache,
	Clip$1 as Clip,
	ClipOptions$1 as ClipOptions,
	Concurrency$1 as Concurrency,
	Event$1 as Event,
	FrameOptions$1 as FrameOptions,
	Manifest$1 as Manifest,
	OnnxTrackerOptions$1 as OnnxTrackerOptions,
	OpenAiServer$1 as OpenAiServer,
	OpenAiTranscriberOptions$1 as OpenAiTranscriberOptions,
	RateLimit$1 as RateLimit,
	Retry$1 as Retry,
	Timeout$1 as Timeout,
	documents,
	frames$1 as frames,
};

export {};
