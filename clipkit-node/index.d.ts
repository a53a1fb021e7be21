// Made by scripts/types.mjs from lib/.
type Timestamp = number;
type Anchor = "top_left" | "top" | "top_right" | "left" | "center" | "right" | "bottom_left" | "bottom" | "bottom_right";
type Animation$1 = "none" | "karaoke" | "pop" | "box";
type Aspect = "9:16" | "1:1" | "4:5" | "16:9";
type Rgb = string;
type CaptionStyleGiven = string | {
	[k: string]: unknown;
};
type BumperFit = "contain" | "cover";
type ContentId = string;
type OverlayContent = {
	/**
	 * The path of a PNG, WebP or JPEG file on the machine that renders. A relative path starts
	 * at the working folder. Of an animation, the first frame is shown.
	 */
	file: string;
	kind: "image";
} | {
	/**
	 * The emoji: one character as users see it, `🔥` or `👩‍🚀`.
	 */
	emoji: string;
	/**
	 * The path of a TrueType font with color bitmaps on the machine that renders, such as Noto
	 * Color Emoji's, or of a folder of PNG or WebP images that are named by code points, as
	 * Twemoji's (`1f525.png`) and Noto's (`emoji_u1f525.png`) are. `None` means an installed
	 * font: Noto Color Emoji or Apple Color Emoji.
	 */
	from?: string | null;
	kind: "emoji";
} | {
	kind: "text";
	/**
	 * The appearance of the text.
	 */
	style?: OverlayTextStyle;
	/**
	 * The text, drawn literally, without markup. A line feed starts a new line. The lines are
	 * aligned as the place's anchor is.
	 */
	text: string;
} | {
	/**
	 * The color of the rest. `None` means that the rest is not drawn.
	 */
	back?: Rgb | null;
	/**
	 * The color of the part that has played.
	 */
	color: Rgb;
	kind: "progress_bar";
};
type CaptionOffset = Timestamp | CaptionOffsetName;
type CaptionOffsetName = "auto";
type CuePlace = {
	bottom: number;
} | {
	middle: number;
};
type CensorSound = "beep" | "mute";
type CheckStatus = "present" | "old" | "missing";
type ClipId = string;
type StandIn = "built_in" | "always" | "never";
type Genre = "podcast" | "lecture" | "gaming" | "news";
type LayoutChoice = "auto" | "fill" | "split" | "fit" | "pip";
type Platform = "shorts" | "tiktok" | "reels" | "generic";
type X264Preset = "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium" | "slow" | "slower" | "veryslow";
type PunchIn = "emphasis" | "joins" | "both";
type TightenLevel = "gentle" | "normal" | "tight";
type Layout = {
	/**
	 * The crop window.
	 */
	crop: Crop;
	kind: "fill";
} | {
	/**
	 * The crop window of the lower half.
	 */
	bottom: Crop;
	kind: "split";
	/**
	 * The half to mark as the speaker's, in order of time. Neither half is marked before the
	 * first entry.
	 */
	speaking?: Speaking[];
	/**
	 * The crop window of the upper half.
	 */
	top: Crop;
} | {
	kind: "fit";
	/**
	 * The crop window and its position in the output.
	 */
	pane: Pane;
} | {
	/**
	 * The smaller crop window, in front, and its position in the output.
	 */
	inset: Pane;
	kind: "pip";
	/**
	 * The larger crop window and its position in the output.
	 */
	screen: Pane;
};
type Half = "top" | "bottom";
type ShotContent = "camera" | "screen";
type Hdr = "pq" | "hlg";
type CredentialsConfig = {
	kind: "auto";
} | {
	kind: "environment";
} | {
	/**
	 * The folder. Default: `CLIPKIT_CREDENTIALS`, else `clipkit/credentials` in the user's
	 * folder for settings.
	 */
	folder?: string | null;
	kind: "file";
} | {
	kind: "keyring";
};
type CropChange = {
	kind: "move";
	/**
	 * The distance to the right, as a fraction of the picture's width.
	 */
	x?: number;
	/**
	 * The distance downwards, as a fraction of the picture's height.
	 */
	y?: number;
} | {
	/**
	 * The number of the face track.
	 */
	face: number;
	kind: "follow";
} | {
	/**
	 * The time of the position on the clip's timeline. Default: the scene's start.
	 */
	at?: Timestamp | null;
	kind: "hold";
};
type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";
type EditOp = {
	op: "delete_words";
	/**
	 * The words to remove.
	 */
	words: WordSelection;
} | {
	op: "keep_words";
	/**
	 * The words to keep.
	 */
	words: WordSelection;
} | {
	op: "move_start";
	/**
	 * The sentence.
	 */
	to: SentencePlace;
} | {
	op: "move_end";
	/**
	 * The sentence.
	 */
	to: SentencePlace;
} | {
	op: "order_pieces";
	/**
	 * The numbers of the pieces, from 0, in their new order: each piece once.
	 */
	order: number[];
} | {
	op: "hook_first";
	/**
	 * Whether they also stay at their old place. Default `false`.
	 */
	repeat?: boolean;
	/**
	 * The words to start with.
	 */
	words: WordSelection;
} | {
	/**
	 * How much to remove.
	 */
	level: TightenLevel;
	op: "tighten";
} | {
	op: "title";
	/**
	 * The title.
	 */
	title: string;
} | {
	/**
	 * The line. `null` removes it and the title over the first seconds.
	 */
	line?: string | null;
	op: "hook_line";
	/**
	 * The style of the title over the first seconds. If given, the title is drawn, placed
	 * anew. Default: a title that the plan has keeps its style and place.
	 */
	style?: HookStyle | null;
} | {
	op: "correct_caption";
	/**
	 * The right text. If it has as many words, each gets the time of the word that it
	 * replaces, else the time is shared by the lengths of the words.
	 */
	text: string;
	/**
	 * The words to correct.
	 */
	words: WordSelection;
} | {
	op: "caption_style";
	/**
	 * A preset's name, `"none"` for no captions, or a style as
	 * `CaptionStyle.from_json` reads it.
	 */
	style?: CaptionStyleGiven | null;
} | {
	op: "censor";
	/**
	 * What is heard instead. Default `beep`.
	 */
	with?: CensorSound;
	/**
	 * The words, as in `Censor`.
	 */
	words: string[];
} | {
	op: "add_sound";
	/**
	 * The sound.
	 */
	sound: Sound;
} | {
	op: "remove_sound";
	/**
	 * The number of the sound in the plan, from 0.
	 */
	sound: number;
} | {
	/**
	 * The layout.
	 */
	layout: LayoutChoice;
	op: "layout";
	/**
	 * The number of the scene, from 0.
	 */
	scene: number;
} | {
	/**
	 * The correction.
	 */
	change: CropChange;
	op: "crop";
	/**
	 * The number of the scene, from 0.
	 */
	scene: number;
	/**
	 * The number of the window in the layout, from 0: of `split`, top and bottom; of `pip`,
	 * screen and inset. Default 0.
	 */
	window?: number;
} | {
	/**
	 * The description. `null`, the default, leaves it.
	 */
	description?: string | null;
	op: "post";
	/**
	 * The tags, without `#`. `null`, the default, leaves them.
	 */
	tags?: string[] | null;
} | {
	/**
	 * The aspect ratio. It sets the output's size.
	 */
	aspect: Aspect;
	op: "aspect";
} | {
	/**
	 * The language of that transcript, as an ISO 639 code.
	 */
	language: string;
	op: "language";
} | {
	/**
	 * Where. `null`, the default, removes all.
	 */
	at?: PunchIn | null;
	op: "punch_in";
} | {
	op: "add_zoom";
	/**
	 * The punch-in. It may not overlap another.
	 */
	zoom: Zoom;
} | {
	op: "remove_zoom";
	/**
	 * The number of the punch-in in the plan, from 0.
	 */
	zoom: number;
} | {
	op: "add_overlay";
	/**
	 * The overlay.
	 */
	overlay: Overlay;
} | {
	/**
	 * The brand.
	 */
	brand: Brand;
	op: "brand";
} | {
	op: "remove_overlay";
	/**
	 * The number of the overlay, from 0.
	 */
	overlay: number;
} | {
	/**
	 * The intro. `null`, the default, removes it.
	 */
	bumper?: Bumper | null;
	op: "intro";
} | {
	/**
	 * The outro. `null`, the default, removes it.
	 */
	bumper?: Bumper | null;
	op: "outro";
};
type WordSelection = WordRange | WordQuote;
type SentencePlace = SentenceDistance | WordQuote;
/**
 * The class of an `Error`, for a program to branch on.
 */
export type ErrorKind = "not_found" | "invalid_input" | "too_large" | "no_transcript" | "nothing_found" | "invalid_plan" | "config" | "cancelled" | "io" | "decode" | "encode" | "captions" | "overlay" | "unavailable" | "network" | "rate_limited" | "denied" | "timed_out" | "contract";
/**
 * The stages of the pipeline, in order.
 */
export type Stage = "source" | "transcribe" | "score" | "track" | "plan" | "render" | "publish";
/**
 * An event of a run, for progress bars and logs.
 */
type Event$1 = {
	/**
	 * The clip's rank, from 1. `None` means the whole run.
	 */
	clip?: number | null;
	event: "started";
	/**
	 * The stage.
	 */
	stage: Stage;
} | {
	/**
	 * The clip's rank, from 1. `None` means the whole run.
	 */
	clip?: number | null;
	event: "progress";
	/**
	 * The completed fraction of the stage's work, 0 to 1.
	 */
	fraction: number;
	/**
	 * The stage.
	 */
	stage: Stage;
} | {
	/**
	 * The clip's rank, from 1. `None` means the whole run.
	 */
	clip?: number | null;
	event: "finished";
	/**
	 * The stage.
	 */
	stage: Stage;
} | {
	/**
	 * The number of clips that will be made.
	 */
	clips: number;
	event: "planned";
} | {
	/**
	 * The clip's rank, from 1. `None` means the whole run.
	 */
	clip?: number | null;
	event: "waiting";
	/**
	 * The reason, as one line for a person.
	 */
	reason: string;
	/**
	 * The waiting time in seconds.
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
type WarningKind = "stand_in" | "input_lost" | "repaired" | "source_changed" | "layout" | "captions" | "hook" | "overlay" | "tighten" | "track" | "font" | "rendering" | "unavailable" | "budget" | "store" | "publish" | "export" | "other";
type PublishStatus = "published" | "processing" | "scheduled" | "draft";
/**
 * A layer by name, as it is written in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`. Plain
 * data.
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
type Limits = LimitsName | LimitsFields;
type LimitsName = "default" | "strict";
type PublisherConfig = {
	/**
	 * Whether the manifest keeps the clips of earlier runs of the same video whose files exist.
	 * Use it to render some of the clips again. Default: `false`: files of clips that the new run
	 * did not make are removed.
	 */
	keep_others?: boolean;
	kind: "folder";
	/**
	 * The folder.
	 */
	path: string;
} | {
	/**
	 * The `Cache-Control` header of the objects. Default: none.
	 */
	cache_control?: string | null;
	/**
	 * The key of a clip below the prefix, without extension. `{id}` is the clip's id, `{rank}` its
	 * rank with two digits, `{slug}` its title in lower-case ASCII, `{date}` today's date in UTC.
	 * Default: `{id}/{rank}-{slug}`. Without `{id}`, two clips can get the same key; the second is
	 * then refused.
	 */
	key?: string;
	kind: "object_store";
	/**
	 * How long the link in the receipt is valid, in seconds: 1 to 604800, which is 7 days. With
	 * the link (`Receipt.url`), everybody can get the clip from the store, so that it passes
	 * through no server of yours. Default: no link.
	 */
	link?: number | null;
	/**
	 * More metadata of the objects. Names are lower-case letters, digits and hyphens, values are
	 * ASCII. Default: none.
	 */
	metadata?: {
		[k: string]: string;
	};
	/**
	 * The size of the parts of large files, in bytes, at least 5 MiB. Larger parts suit fast
	 * connections; 4 parts are in memory at a time. Default: 8 MiB.
	 */
	part_size?: number;
	/**
	 * The address at which everybody can get what lies below the prefix, for example of a CDN. The
	 * receipt then has the clip's address below it. Default: none.
	 */
	public_url?: string | null;
	/**
	 * The store and the prefix of all keys: `s3://bucket/prefix`.
	 */
	url: string;
} | {
	/**
	 * Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
	 * Default: none.
	 */
	allow_private?: string[];
	kind: "webhook";
	/**
	 * Whether the manifest is posted after the last clip. Default: `true`.
	 */
	manifest?: boolean;
	/**
	 * The secret. It is read from documents and never written to them. Default: the variable's.
	 */
	secret?: string | null;
	/**
	 * The environment variable with the secret. Its name starts with `CLIPKIT_WEBHOOK_`. Default:
	 * `CLIPKIT_WEBHOOK_SECRET`.
	 */
	secret_variable?: string | null;
	/**
	 * The longest time for one delivery, in seconds. Default 10 minutes.
	 */
	timeout?: number;
	/**
	 * The address, `https` or `http`. It is the account of the target, without its query.
	 */
	url: string;
	/**
	 * Whether the clip's files are posted. Default: `true`.
	 */
	video?: boolean;
} | {
	/**
	 * The account's name, by which its credentials are found. Default: `default`.
	 */
	account?: string;
	/**
	 * Another address of the API, for tests. Its path `/token` gives access tokens. Default:
	 * Google's.
	 */
	api_url?: string | null;
	/**
	 * Whether the captions become a caption track. Default: `true`.
	 */
	captions?: boolean;
	/**
	 * The id of the category. Default: `22`, people and blogs.
	 */
	category?: string;
	/**
	 * The size of a chunk in bytes, a multiple of 256 KiB. A chunk that breaks off is sent again
	 * from where YouTube has it. Default: 8 MiB.
	 */
	chunk_size?: number;
	/**
	 * Where the credentials are. Default: the environment, else a file.
	 */
	credentials?: CredentialsConfig;
	kind: "youtube";
	/**
	 * Whether subscribers are told. Default: `true`.
	 */
	notify?: boolean;
	/**
	 * When clips are published that have no time of their own (`Post.publish_at`). YouTube
	 * keeps them private until then. Default: at once.
	 */
	schedule?: Schedule | null;
	/**
	 * Whether clips are meant as Shorts: at most 3 minutes, not wider than high. Default: `true`.
	 */
	shorts?: boolean;
	/**
	 * Whether the cover becomes the thumbnail. Default: `true`.
	 */
	thumbnail?: boolean;
} | {
	/**
	 * The account's name, by which its credentials are found. Default: `default`.
	 */
	account?: string;
	/**
	 * Another address of the API, for tests. Its path `/token` gives access tokens. Default:
	 * TikTok's.
	 */
	api_url?: string | null;
	/**
	 * The size of a chunk in bytes, 5 MiB to 64 MB. What is left over goes with the last chunk. A
	 * chunk that breaks off is sent again. Default: 10 MB.
	 */
	chunk_size?: number;
	/**
	 * Whether others can comment, if the account allows it. Default: `true`.
	 */
	comments?: boolean;
	/**
	 * Where the credentials are. Default: the environment, else a file. TikTok changes refresh
	 * tokens at each use, so the environment is good for an access token only.
	 */
	credentials?: CredentialsConfig;
	/**
	 * Whether others can make duets, if the account allows it. Default: `true`.
	 */
	duets?: boolean;
	/**
	 * Whether the clip goes to the account's inbox as a draft, which somebody finishes and posts
	 * in the app. A draft has no texts. Apps without audit can do this. Default: `false`.
	 */
	inbox?: boolean;
	kind: "tiktok";
	/**
	 * Whether the clip promotes the account's own business, a declaration. Default: `false`.
	 */
	own_brand?: boolean;
	/**
	 * Whether the clip is a paid partnership, a declaration. Default: `false`.
	 */
	paid_partnership?: boolean;
	/**
	 * Who can see the posts. Clips that are private (`Post.privacy`) are for the account itself
	 * in any case. Default: everybody; TikTok has no unlisted posts.
	 */
	privacy?: TikTokPrivacy | null;
	/**
	 * When clips are published that have no time of their own (`Post.publish_at`). Default: at
	 * once.
	 */
	schedule?: Schedule | null;
	/**
	 * Whether others can make stitches, if the account allows it. Default: `true`.
	 */
	stitches?: boolean;
} | {
	/**
	 * The account's name, by which its credentials are found. Default: `default`.
	 */
	account?: string;
	/**
	 * Another address of the API with its version, for tests. Its path `/token` gives access
	 * tokens. Default: Meta's.
	 */
	api_url?: string | null;
	/**
	 * Where the credentials are. Default: the environment, else a file.
	 */
	credentials?: CredentialsConfig;
	kind: "instagram";
	/**
	 * When clips are published that have no time of their own (`Post.publish_at`). Default: at
	 * once.
	 */
	schedule?: Schedule | null;
	/**
	 * Whether the Reel is also shown in the feed. Default: `true`.
	 */
	share_to_feed?: boolean;
};
type TikTokPrivacy = "everyone" | "followers" | "friends" | "only_me";
type RendererConfig = {
	kind: "ffmpeg";
	/**
	 * Columns and rows of the clips in pixels. Plans are made for this size. Default: `None`,
	 * which leaves the size to the pipeline's aspect. Rendering always uses the size in the plan.
	 *
	 * @minItems 2
	 * @maxItems 2
	 */
	size?: [
		unknown,
		unknown
	] | null;
	/**
	 * Threads for decoding and for encoding one clip. Default: 0, which divides the machine's
	 * cores among the clips rendered concurrently.
	 */
	threads?: number;
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
	 * The price of the model. Default: the known price of OpenAI's models on OpenAI's server.
	 */
	price?: Price | null;
	/**
	 * How many requests run concurrently. Default 3; 0 counts as 1.
	 */
	requests?: number;
	/**
	 * Whether the best spans are compared with each other after scoring, with up to twelve more
	 * requests. Default true.
	 */
	rerank?: boolean;
	/**
	 * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
	 */
	server?: OpenAiServer;
	/**
	 * The time limit of one request, in seconds. A request that exceeds it is sent again, as the
	 * server's layers say. Default 120; 0 counts as 1.
	 */
	timeout_secs?: number;
};
type SourceConfig = {
	/**
	 * Private addresses and networks that HTTP URLs may lead to, besides those of `http` and
	 * `ytdlp`. Default: none.
	 */
	allow_private?: string[];
	/**
	 * The options for files.
	 */
	file?: FileSource;
	/**
	 * The options for URLs of media files.
	 */
	http?: HttpSource;
	kind: "auto";
	/**
	 * Whether paths and `file:` URLs are accepted. A service that takes addresses from strangers
	 * sets it to `false`. Default: `true`.
	 */
	local?: boolean;
	/**
	 * The options for objects.
	 */
	object_store?: ObjectStoreSource;
	/**
	 * The part to fetch, on the video's timeline: `YtDlp.section`. With it, every HTTP URL is
	 * fetched by `YtDlp`; files and objects are refused. Default: all of the video.
	 */
	section?: Span | null;
	/**
	 * The options for pages.
	 */
	ytdlp?: YtDlp;
} | {
	kind: "file";
	/**
	 * Whether the file is copied into the media store
	 * (`Context.media_store`), so that later steps find it after
	 * the original is removed. Default: `false`, which reads the file in place.
	 */
	store?: boolean;
} | {
	/**
	 * Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
	 * Default: none.
	 */
	allow_private?: string[];
	/**
	 * The longest wait for the next bytes, in seconds. Default 30.
	 */
	idle_timeout?: number;
	kind: "http";
	/**
	 * The longest time that a download may take, in seconds. Default 6 hours.
	 */
	timeout?: number;
} | {
	kind: "object_store";
} | {
	/**
	 * Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
	 * Default: none.
	 */
	allow_private?: string[];
	/**
	 * A file with cookies in Netscape's format. It is used only after an attempt without it, if
	 * the platform wants a login. It is neither changed nor logged.
	 */
	cookies?: string | null;
	/**
	 * The largest resolution to fetch, by the shorter side in pixels. Default 1080.
	 */
	height?: number;
	kind: "ytdlp";
	/**
	 * The program. Default: `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`.
	 */
	program?: string | null;
	/**
	 * A proxy for metadata and captions only: `http://user:password@host:3128`. The media come
	 * without it. If the platform refuses that, since it ties media to the address that asked for
	 * them, all goes through the proxy.
	 */
	proxy_metadata?: string | null;
	/**
	 * The part to fetch, on the video's timeline. The media's times start at the section's start.
	 * The section is also part of `Media.uri`, as a media fragment
	 * (`#t=600,2400`), which a URI may have, too. Default: all of the video.
	 */
	section?: Span | null;
	/**
	 * The longest time that the download may take, in seconds. Default 6 hours.
	 */
	timeout?: number;
};
type TrackerConfig = {
	kind: "auto";
	/**
	 * A model's name, or the path of its file. `None` is the default face detector.
	 */
	model?: string | null;
	/**
	 * The tracker's options.
	 */
	options?: OnnxTrackerOptions;
} | {
	kind: "onnx";
	/**
	 * A model's name, or the path of its file. `None` is the default face detector.
	 */
	model?: string | null;
	/**
	 * The tracker's options.
	 */
	options?: OnnxTrackerOptions;
} | {
	kind: "motion";
} | {
	kind: "center";
};
type TranscriberConfig = {
	/**
	 * How captions beside the video and inside it are read.
	 */
	captions?: CaptionsOptions;
	kind: "auto";
	/**
	 * The folder of the local model. Default: `speech` in the folder of `CLIPKIT_MODELS`, else in
	 * the cache folder, else `Weights.DEFAULT_SPEECH` if it is on this machine.
	 */
	model?: string | null;
	/**
	 * The transcriber for a Whisper-style API.
	 */
	openai?: OpenAiTranscriberOptions;
} | {
	/**
	 * The file's text encoding by its name: `windows-1251`, `gbk`. Default: what the file's bytes
	 * show, else guessed with a warning.
	 */
	encoding?: string | null;
	/**
	 * The file to read. Default: searched for beside the video and inside it.
	 */
	file?: string | null;
	kind: "captions";
	/**
	 * The preferred language of captions beside the video and inside it as a BCP 47 tag: `de`.
	 * Default: the language of the sound.
	 */
	language?: string | null;
	/**
	 * What is added to every time of captions, in seconds: -3600 where all is an hour late. With
	 * `"auto"`, what the voice shows. Default: nothing; if words lie outside the video and the
	 * voice shows an offset, a warning names it.
	 */
	offset?: CaptionOffset | null;
} | {
	kind: "openai";
	/**
	 * The spoken language as ISO 639-1 (`en`). Default: the server detects it.
	 */
	language?: string | null;
	/**
	 * The model. Default `whisper-1`, OpenAI's model with word timestamps.
	 */
	model?: string;
	/**
	 * Names and terms whose spelling the model should follow, or a sentence in the wanted style.
	 * `whisper-1` uses the last 224 tokens.
	 */
	prompt?: string | null;
	/**
	 * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
	 */
	server?: OpenAiServer;
	/**
	 * The time limit of one request, in seconds. A request that exceeds it is sent again, as the
	 * server's layers say. Default 600; 0 counts as 1.
	 */
	timeout_secs?: number;
	/**
	 * How many chunks are uploaded concurrently. Default 3; 0 counts as 1.
	 */
	uploads?: number;
} | {
	kind: "local";
	/**
	 * The spoken language as ISO 639-1 (`en`), for models that do not return it.
	 */
	language?: string | null;
	/**
	 * The model's folder, or the id of known weights, which are downloaded if they are missing.
	 * Default: the folder that `auto` uses, else `Weights.DEFAULT_SPEECH`.
	 */
	model?: string | null;
};
type Privacy = "public" | "unlisted" | "private";
interface About {
	/**
	 * The chapters in order, on the media's timeline.
	 */
	chapters?: Chapter[];
	/**
	 * How often each part of the video is replayed, in order, on the media's timeline.
	 */
	heatmap?: HeatmapBin[];
	/**
	 * The spoken language as a BCP 47 tag, or as the file states it.
	 */
	language?: string | null;
	/**
	 * The platform's short name in lower case (`youtube`). `None` means a file.
	 */
	platform?: string | null;
	/**
	 * The title.
	 */
	title?: string | null;
	/**
	 * The person or channel that published the video, else its author.
	 */
	uploader?: string | null;
	/**
	 * The address of the video's page, without secrets.
	 */
	url?: string | null;
}
interface Chapter {
	/**
	 * Where the chapter is.
	 */
	span: Span;
	/**
	 * The chapter's title.
	 */
	title?: string;
}
/**
 * A half-open interval of a timeline: it includes `start` and excludes `end`.
 */
export interface Span {
	end: Timestamp;
	start: Timestamp;
}
interface HeatmapBin {
	/**
	 * Where the part is.
	 */
	span: Span;
	/**
	 * How often it is replayed, 0 to 1: 1 for the most replayed part. The first part of a video is
	 * high for every video, since everybody starts there.
	 */
	value: number;
}
interface AudioStream {
	/**
	 * The number of channels.
	 */
	channels: number;
	/**
	 * The codec's short name in FFmpeg (`aac`).
	 */
	codec: string;
	/**
	 * The stream's index in the file.
	 */
	index: number;
	/**
	 * The language tag in the file. `None` means that the file does not state it.
	 */
	language?: string | null;
	/**
	 * The sample rate in hertz.
	 */
	sample_rate: number;
}
interface Brand {
	/**
	 * The color of the word that is spoken.
	 */
	accent?: Rgb | null;
	/**
	 * The caption style, in place of that of the options, if the clip has captions. In JSON: a
	 * preset's name, or a style as `CaptionStyle.from_json` reads it.
	 */
	captions?: CaptionStyleGiven | null;
	/**
	 * The color of words, in captions and on the plates.
	 */
	color?: Rgb | null;
	/**
	 * The font's family name, in fontconfig or in one of the `font_files`.
	 */
	font?: string | null;
	/**
	 * The paths of font files (TTF, OTF, TTC) that need not be installed.
	 */
	font_files?: string[];
	/**
	 * What plays before every clip.
	 */
	intro?: Bumper | null;
	/**
	 * What plays after every clip.
	 */
	outro?: Bumper | null;
	/**
	 * The overlays of every clip, from back to front. Those whose place has no area stay in the
	 * platform's safe area.
	 */
	overlays?: Overlay[];
	/**
	 * The color of the plates behind the title and the texts. Without `color`, words on it are
	 * white or nearly black.
	 */
	plate?: Rgb | null;
	/**
	 * The music and effects of every clip. A span is on the clip's timeline; what of it is beyond
	 * the clip's end does not play.
	 */
	sound?: Sound[];
}
interface Bumper {
	/**
	 * The color around the picture and behind what is transparent in it. Default: a blurred copy
	 * of the picture around it, black behind what is transparent.
	 */
	background?: Rgb | null;
	/**
	 * How long an image is shown, in seconds, at most `Bumper.MAX_SECS`. With it, the file is
	 * an image; a video has a `span` instead.
	 */
	duration?: Timestamp | null;
	/**
	 * How long picture and sound take to come up from black and silence, in seconds, 0 to 60.
	 * Default 0: at once.
	 */
	fade_in?: number;
	/**
	 * How long picture and sound take to go down to black and silence, in seconds, 0 to 60.
	 * Default 0: at once. Fades that last longer than the bumper are shortened.
	 */
	fade_out?: number;
	/**
	 * The path or the `file:` URL of a video, or of a PNG, WebP or JPEG image. A relative path is
	 * resolved against the working folder.
	 */
	file: string;
	/**
	 * How a picture of another aspect ratio is fitted into the output. Default `contain`.
	 */
	fit?: BumperFit;
	/**
	 * The gain of its sound in dB, -60 to 20. Default 0: as loud as the clip, or its own level if
	 * the plan has no loudness.
	 */
	gain?: number;
	/**
	 * The hash of the file's content (`blake3:9f86d0...`). With it, the file is also found in the
	 * media store, a file with another content leaves a warning, and a moved file leaves the
	 * clip's id as it is. Default: the file is taken as it is.
	 */
	id?: ContentId | null;
	/**
	 * How long the whole video lasts, in seconds, if neither `span` nor `duration` says how long
	 * the bumper plays. It is measured whenever a plan is rendered or exported, so it need not be
	 * given. It is no part of the clip's id.
	 */
	length?: Timestamp | null;
	/**
	 * The stretch of a video that plays, on the file's timeline, in seconds. It lasts at most
	 * `Bumper.MAX_SECS`. Default: the whole video.
	 */
	span?: Span | null;
}
interface Overlay {
	/**
	 * What is drawn.
	 */
	content: OverlayContent;
	/**
	 * How long it takes to appear, in seconds, 0 to 60. Default 0, which is at once.
	 */
	fade_in?: number;
	/**
	 * How long it takes to disappear, in seconds, 0 to 60. Default 0, which is at once. Fades that
	 * last longer than the overlay are shortened.
	 */
	fade_out?: number;
	/**
	 * How opaque it is, 0 to 1. Default 1. Transparent parts of an image stay transparent.
	 */
	opacity?: number;
	/**
	 * Where it is drawn, and its size.
	 */
	place: OverlayPlace;
	/**
	 * When it is shown, on the clip's timeline. `None` means the whole clip.
	 */
	span?: Span | null;
}
interface OverlayTextStyle {
	/**
	 * Whether to use the family's bold weight. Default `false`, since Lato Black is already heavy.
	 */
	bold?: boolean;
	/**
	 * The color of the words. Default white.
	 */
	color?: Rgb;
	/**
	 * The font's family name in fontconfig. Default `Lato Black`.
	 */
	font?: string;
	/**
	 * The color of the plate behind the lines. `None` (`null` in JSON) means no plate; the words
	 * then have a black outline. Default `#18181b`, nearly black.
	 */
	plate?: Rgb | null;
	/**
	 * The font's maximum size as a fraction of the output's height. Default 0.026.
	 */
	size?: number;
}
interface OverlayPlace {
	/**
	 * The corner, side or center of the area that the overlay touches.
	 */
	anchor: Anchor;
	/**
	 * The part of the output in which the overlay stays, in fractions of the output's width and
	 * height. Default: the part that no platform's interface covers
	 * (`Platform.Generic`).
	 */
	area?: Rect | null;
	/**
	 * The height as a fraction of the output's height. Default: of an image what its width gives,
	 * of a text 0.12, of a progress bar 0.006. An image keeps its aspect ratio, so with both it is
	 * as large as fits. A text shrinks until it fits.
	 */
	height?: number | null;
	/**
	 * The width as a fraction of the output's width. Default: of an image 0.18, or what its height
	 * gives; of a text or a progress bar the area's width.
	 */
	width?: number | null;
	/**
	 * The distance to the right of the anchor, as a fraction of the output's width. A negative
	 * distance is to the left. Default 0.
	 */
	x?: number;
	/**
	 * The distance below the anchor, as a fraction of the output's height. A negative distance is
	 * above. Default 0.
	 */
	y?: number;
}
/**
 * A box in fractions of a picture's width and height. The origin is the picture's top left corner,
 * `x` points right and `y` points down. Unless stated otherwise, the picture is the displayed
 * source picture (upright, square pixels).
 */
export interface Rect {
	/**
	 * The height, 0 to 1.
	 */
	height: number;
	/**
	 * The width, 0 to 1.
	 */
	width: number;
	/**
	 * The left edge, 0 to 1.
	 */
	x: number;
	/**
	 * The top edge, 0 to 1.
	 */
	y: number;
}
interface Sound {
	/**
	 * How much lower it plays while the source's sound is heard, in dB, 0 to 60. It is lower from
	 * the start of a voice on, to which it sinks within 0.15 s, and rises within 0.6 s from 0.2 s
	 * after the voice on. Pauses shorter than 0.8 s are part of the voice. Default 0.
	 */
	duck?: number;
	/**
	 * The length of the fade at its start, in seconds, 0 to 600. Default 0.
	 */
	fade_in?: number;
	/**
	 * The length of the fade at its end, in seconds, 0 to 600: the end of its span, or of the file
	 * if that comes first. Default 0.
	 */
	fade_out?: number;
	/**
	 * The path of a file with sound: of audio or of video, whose default audio track plays. A
	 * relative path is resolved against the working folder.
	 */
	file: string;
	/**
	 * The gain in dB, -60 to 20. Default 0: the file's own level.
	 */
	gain?: number;
	/**
	 * The hash of the file's content (`blake3:9f86d0...`). With it, the file is also found in the
	 * media store, a file with another content leaves a warning, and a moved file leaves the
	 * clip's id as it is. Default: the file is taken as it is.
	 */
	id?: ContentId | null;
	/**
	 * Whether it starts again at `offset` when the file ends, with a crossfade of 10 ms. Default:
	 * it plays once.
	 */
	loop?: boolean;
	/**
	 * The time in the file at which it starts, in seconds. Default 0.
	 */
	offset?: Timestamp;
	/**
	 * When it plays, on the clip's timeline. Default: during the whole clip.
	 */
	span?: Span | null;
}
interface Cache$1 {
	about?: string | null;
	keep?: number;
	store?: string | null;
}
/**
 * A span that could become a clip, with its score, title and reason.
 *
 * JSON input also accepts a short form: `{"start": 12.5, "end": 40, "score": 90}`. `start` and
 * `end` replace `span`, a number replaces the score and sets its total, and `title` and `reason`
 * default to empty text.
 */
export interface Candidate {
	/**
	 * A description for posts of the clip. `None` means that the scorer wrote none.
	 */
	description?: string | null;
	/**
	 * What counted for or against the span, the strongest first. Empty if the scorer does not say.
	 */
	factors?: Factor[];
	/**
	 * A line of text to show over the first seconds of the clip. `None` means that the scorer
	 * wrote no line.
	 */
	hook_line?: string | null;
	/**
	 * Why the scorer chose the span, as one sentence.
	 */
	reason: string;
	/**
	 * The candidate's quality.
	 */
	score: Score;
	/**
	 * The candidate's span on the source's timeline.
	 */
	span: Span;
	/**
	 * Tags for posts of the clip, without `#`. Empty if the scorer gave none.
	 */
	tags?: string[];
	/**
	 * A short title.
	 */
	title: string;
}
interface Factor {
	/**
	 * How much it counted, in comparison with the whole video; negative if it counted against the
	 * span. Of `Heuristic`, the difference of the log odds that an
	 * editor chooses it: 0.7 doubles the odds.
	 */
	effect: number;
	/**
	 * What counted: "negation", "place in the talk"; "less negation" if there is less than
	 * elsewhere.
	 */
	name: string;
	/**
	 * Words of the span that it consists of, at most three.
	 */
	words?: string[];
}
/**
 * The quality of a span as a clip.
 */
export interface Score {
	/**
	 * How well the span is understood without its context, 0 to 10. It keeps clips
	 * clean, and says nothing about whether a moment is worth choosing (0.96 times).
	 */
	completeness: number;
	/**
	 * How much information the span has for its duration, 0 to 10. Editors rather choose the
	 * opposite: plain words, said slowly (0.52 times).
	 */
	density: number;
	/**
	 * How emotional the span is, 0 to 10, joy as much as fear. Editors choose fear rather than joy
	 * (0.76 times).
	 */
	emotion: number;
	/**
	 * How strongly the first sentence attracts attention, 0 to 10. Clips chosen by what
	 * `Heuristic` says here find as many of the moments that editors
	 * choose as clips at random places (1.06 times).
	 */
	hook: number;
	/**
	 * How much the span resembles the moments that editors of podcasts put into their openings, 0
	 * to 10: the criterion that chooses. `None` if the scorer does not judge it, as for languages
	 * other than English.
	 */
	moment?: number | null;
	/**
	 * The overall score, 0 to 100. Clips are ranked by it.
	 */
	total: number;
}
/**
 * The appearance of captions. Start from a preset and change its fields.
 *
 * Sizes are fractions of the output's height, so a style looks the same at every resolution.
 */
export interface CaptionStyle {
	/**
	 * How the word that is spoken is marked.
	 */
	animation: Animation$1;
	/**
	 * Whether captions that would cover the mouth of a visible person move to the nearest position
	 * that does not. All cues of a clip share one position.
	 */
	avoid_faces: boolean;
	/**
	 * Whether to use the family's bold weight.
	 */
	bold: boolean;
	/**
	 * The color of the words.
	 */
	color: Rgb;
	/**
	 * The emphasis of keywords. `None` means that keywords look like other words.
	 */
	emphasis?: Emphasis | null;
	/**
	 * The font's family name in fontconfig.
	 */
	font: string;
	/**
	 * The color of the word that is spoken. For `box`, it is the color of the plate behind that
	 * word.
	 */
	highlight: Rgb;
	/**
	 * The maximum number of words in a cue.
	 */
	max_words: number;
	/**
	 * The style's name, for people.
	 */
	name: string;
	/**
	 * The color of the outline.
	 */
	outline: Rgb;
	/**
	 * The width of the outline as a fraction of the font's size.
	 */
	outline_width: number;
	/**
	 * The captions' bottom edge as a fraction of the output's height, from its top. Captions stay
	 * inside the platform's safe area.
	 */
	position: number;
	/**
	 * The distance of the shadow as a fraction of the font's size.
	 */
	shadow: number;
	/**
	 * The font's size as a fraction of the output's height.
	 */
	size: number;
	/**
	 * Whether words are written in capitals.
	 */
	uppercase: boolean;
}
interface Emphasis {
	/**
	 * The color of keywords. With the animation `karaoke`, a keyword gets the color when it is
	 * spoken. With the other animations, it always has the color.
	 */
	color: Rgb;
	/**
	 * The size of keywords relative to other words, 0.5 to 2. Default 1.
	 */
	scale?: number;
	/**
	 * The keywords, compared without case. If the list is empty (the default), keywords are chosen
	 * from the spoken words: numbers, names, and long words that are rarely spoken. A cue then has
	 * at most one keyword.
	 */
	words?: string[];
}
interface CaptionTrack {
	/**
	 * The cues in order of time, without overlaps.
	 */
	cues: Cue[];
	/**
	 * The part of the output that the platform's interface does not cover, in fractions of the
	 * output's width and height. Captions stay inside it.
	 */
	safe_area: Rect;
	/**
	 * The appearance of the captions.
	 */
	style: CaptionStyle;
}
interface Cue {
	/**
	 * The vertical position of the cue. `None` means the style's position.
	 */
	place?: CuePlace | null;
	/**
	 * When the words are shown, on the clip's timeline.
	 */
	span: Span;
	/**
	 * The words, in order. Their text is drawn literally, without markup.
	 */
	words: CueWord[];
}
interface CueWord {
	/**
	 * Whether the word is a keyword, drawn with the style's `emphasis`.
	 */
	emphasized?: boolean;
	/**
	 * When the word is spoken, on the clip's timeline.
	 */
	span: Span;
	/**
	 * The text to draw.
	 */
	text: string;
}
interface CaptionsOptions {
	/**
	 * The file's text encoding by its name: `windows-1251`, `gbk`. Default: what the file's bytes
	 * show, else guessed with a warning.
	 */
	encoding?: string | null;
	/**
	 * The file to read. Default: searched for beside the video and inside it.
	 */
	file?: string | null;
	/**
	 * The preferred language of captions beside the video and inside it as a BCP 47 tag: `de`.
	 * Default: the language of the sound.
	 */
	language?: string | null;
	/**
	 * What is added to every time of captions, in seconds: -3600 where all is an hour late. With
	 * `"auto"`, what the voice shows. Default: nothing; if words lie outside the video and the
	 * voice shows an offset, a warning names it.
	 */
	offset?: CaptionOffset | null;
}
interface Censor {
	/**
	 * More entries by language: the first part of a language tag, such as `en`. They count if the
	 * transcript has this language or none.
	 */
	languages?: {
		[k: string]: string[];
	};
	/**
	 * What is heard instead. Default `beep`.
	 */
	with?: CensorSound;
	/**
	 * The entries for every language.
	 */
	words?: string[];
}
interface Censored {
	/**
	 * The stretch on the clip's timeline.
	 */
	span: Span;
	/**
	 * What is heard instead.
	 */
	with: CensorSound;
}
interface Check {
	/**
	 * How to get it, as an imperative. Set unless it is `CheckStatus.Present`.
	 */
	advice?: string | null;
	/**
	 * What does not work without it. Set unless it is `CheckStatus.Present`.
	 */
	cost?: string | null;
	/**
	 * What was found, as a line for a person: a version, an age, a reason.
	 */
	found?: string | null;
	/**
	 * The thing's name: `yt-dlp`, `font Lato`.
	 */
	name: string;
	/**
	 * Where it is.
	 */
	path?: string | null;
	/**
	 * Whether it is there.
	 */
	status: CheckStatus;
}
interface ClipMeasure {
	/**
	 * The clip's duration, in seconds, without intro and outro.
	 */
	duration: Timestamp;
	/**
	 * The number of joins between pieces.
	 */
	joins: number;
	/**
	 * The number of overlays.
	 */
	overlays?: number;
	/**
	 * The number of scenes.
	 */
	scenes: number;
	/**
	 * The number of words.
	 */
	words: number;
}
interface ClipOptions {
	/**
	 * Topics that clips should be about: words or short phrases. Empty means any topic.
	 */
	about?: string[];
	/**
	 * The aspect ratio of the clips, unless the renderer has a size. Default: 9:16.
	 */
	aspect?: Aspect;
	/**
	 * The maximum number of clips in one stage at a time, for the stages that process single clips
	 * (`track`, `plan`, `render`, `publish`), if lower than `jobs`: with `{"publish": 1}`, clips
	 * are published one after the other. Default: `jobs`.
	 */
	at_once?: {
		[k: string]: number;
	};
	/**
	 * The audio track to hear and render, counted from 1 in file order. `None`, the default, is
	 * the file's default track, or another one with speech if the default track is silent.
	 */
	audio_track?: number | null;
	/**
	 * Topics that clips should not be about.
	 */
	avoid?: string[];
	/**
	 * The brand: the look of captions, title and texts, overlays such as a logo, and music.
	 * Default: none.
	 */
	brand?: Brand | null;
	/**
	 * The caption style. `None` means no captions. In JSON: the name of a preset, a style as
	 * `CaptionStyle.from_json` reads it, or null. Default: karaoke.
	 */
	captions?: CaptionStyleGiven | null;
	/**
	 * The words that are not to be heard in the clips or read in captions and titles. `None`, the
	 * default, leaves all words.
	 */
	censor?: Censor | null;
	/**
	 * The maximum number of clips. Default: 10.
	 */
	clips?: number;
	/**
	 * x264's constant rate factor, 0 to 51. Lower values give better quality and larger files: 6
	 * less doubles the size. Default: 20.
	 */
	crf?: number;
	/**
	 * Which failing stages are replaced by a fallback. `None`, the default: a run uses
	 * `Degrade.default`, and a step that is called on its own has no fallbacks.
	 */
	degrade?: Degrade | null;
	/**
	 * The genre of the video, which weights the criteria of the scorer. Default: a general
	 * weighting.
	 */
	genre?: Genre | null;
	/**
	 * The style of the clip's title over its first seconds. `None`, the default, means no title.
	 * In JSON, `{}` is the default style.
	 */
	hook?: HookStyle | null;
	/**
	 * How many clips run concurrently. Default: half the number of processor cores, since decoder,
	 * filters and encoder of one clip use about two cores. More clips are not faster, and each
	 * takes about 300 MB for a 1080p source.
	 */
	jobs?: number | null;
	/**
	 * The layout: one window, two windows, or the whole picture. Default: `auto`, which chooses
	 * per shot. Any other value applies to every shot; a shot that cannot have it (such as `split`
	 * with one person) leaves a warning.
	 */
	layout?: LayoutChoice;
	/**
	 * The loudness of the clips. `None` leaves the sound unchanged. Default: -14 LUFS, peaks up to
	 * -1 dBTP.
	 */
	loudness?: Loudness | null;
	/**
	 * The maximum length of a clip; in JSON, seconds. Default: 60 s.
	 */
	max?: number;
	/**
	 * The budget of a run in US dollars, at known or configured prices. Stages that use paid
	 * models stop before they exceed it. Default: no limit.
	 */
	max_cost?: number | null;
	/**
	 * The minimum length of a clip; in JSON, seconds. Default: 15 s.
	 */
	min?: number;
	/**
	 * The target platform, which defines the safe area for captions. Default: the area that is
	 * free on every platform.
	 */
	platform?: Platform;
	/**
	 * x264's speed preset. Default: `veryfast`. `medium` takes three times as long and gives files
	 * of about the same size with slightly better quality.
	 */
	preset?: X264Preset;
	/**
	 * Where the picture becomes larger for a while. `None`, the default, is nowhere.
	 */
	punch_in?: PunchIn | null;
	/**
	 * Whether a listener who laughs is shown for a moment: while the transcript has laughter
	 * (`[Laughter]`) and this person's mouth moves, for at most 2 s, and not more often than every
	 * 8 s. It needs the layout `fill`. Default: false.
	 */
	reactions?: boolean;
	/**
	 * Whether span ends are moved by up to 0.4 s so that no word is cut. Default: true. With
	 * false, clips are cut at the scorer's times.
	 */
	snap?: boolean;
	/**
	 * Whether pauses, and from `normal` on fillers and repeated words, are cut out of the clips.
	 * The lengths `min` and `max` hold before that. `None`, the default, cuts nothing.
	 */
	tighten?: TightenLevel | null;
}
/**
 * Which failing stages are replaced by a fallback. Each use of a fallback leaves a warning of kind
 * `StandIn`.
 *
 * If `ClipOptions.degrade` is not set, a run uses
 * `Degrade.default`, and a step that is called on its own returns its error. A queue that
 * retries sets `Degrade.NEVER` and, on the last attempt, `Degrade.default`.
 */
export interface Degrade {
	/**
	 * Captions: if they cannot be drawn, the clip is rendered without captions.
	 */
	captions?: StandIn;
	/**
	 * Overlays: if the image of one cannot be read, the clip is rendered without that overlay.
	 * This leaves a warning of kind `Overlay`.
	 */
	overlays?: StandIn;
	/**
	 * The scorer: if it fails, the `Heuristic` chooses the spans.
	 */
	scorer?: StandIn;
	/**
	 * The face tracker: if it fails, the `MotionTracker` is used,
	 * then the `CenterTracker`.
	 */
	tracker?: StandIn;
	/**
	 * The transcriber `auto`: if the API fails, the local speech model transcribes.
	 */
	transcriber?: StandIn;
}
interface HookStyle {
	/**
	 * Whether to use the family's bold weight. Default `false`, since Lato Black is already heavy.
	 */
	bold?: boolean;
	/**
	 * The color of the words. Default `#0c0c10`, nearly black.
	 */
	color?: Rgb;
	/**
	 * The font's family name in fontconfig. Default `Lato Black`.
	 */
	font?: string;
	/**
	 * The color of the plate behind the lines. `None` (`null` in JSON) means no plate; the words
	 * then have a black outline. Default white.
	 */
	plate?: Rgb | null;
	/**
	 * How long the hook is shown, in seconds. Default 3.
	 */
	secs?: number;
	/**
	 * The font's maximum size as a fraction of the output's height. Default 0.036.
	 */
	size?: number;
}
interface Loudness {
	/**
	 * The integrated loudness in LUFS, -40 to -5.
	 */
	integrated: number;
	/**
	 * The highest true peak of the finished file in dBTP, -9 to 0.
	 */
	true_peak: number;
}
/**
 * Everything that a renderer needs to make one clip. The renderer makes no decisions of its own.
 *
 * A plan is written as JSON beside each clip. It can be edited and rendered again. The format is
 * stable within a `version`. All times except `span` and `pieces` are on the
 * clip's timeline, in seconds from the clip's first frame. In a file with an intro, that frame
 * comes after the intro: time in the file = duration of the intro + time of the clip
 * (`ClipPlan.parts`). Positions and sizes are fractions of the displayed source picture
 * (upright, square pixels). Those of captions, of the hook, of overlays and of `Pane.place` are
 * fractions of the output.
 */
export interface ClipPlan {
	/**
	 * The captions. `None` means that the clip has no captions.
	 */
	captions?: CaptionTrack | null;
	/**
	 * The stretches in which the clip's own sound is not heard, because a censored word is said
	 * there: in order of time, without overlaps.
	 */
	censored?: Censored[];
	/**
	 * The face tracks, on the clip's timeline. They explain the crop paths. The renderer does not
	 * read them.
	 */
	faces: FaceTrack[];
	/**
	 * The paths of font files (TTF, OTF, TTC) that captions, hook and texts can name besides the
	 * installed fonts. A relative path starts at the working folder.
	 */
	fonts?: string[];
	/**
	 * The title over the clip's first seconds. `None` means that the clip has no such title.
	 */
	hook?: Hook | null;
	/**
	 * A line of text for the clip's first seconds. `None` means that the scorer wrote no line.
	 * Only `hook` makes the renderer draw a title.
	 */
	hook_line?: string | null;
	/**
	 * What plays before the clip. `None` means that the file starts with the clip.
	 */
	intro?: Bumper | null;
	/**
	 * The parameters of the file to make.
	 */
	output: Output;
	/**
	 * What plays after the clip. `None` means that the file ends with the clip.
	 */
	outro?: Bumper | null;
	/**
	 * Images, texts and progress bars over the picture, from back to front.
	 */
	overlays?: Overlay[];
	/**
	 * The stretches of the source that the clip plays, in the order in which it plays them. All
	 * lie in `span`. The clip's timeline is their concatenation. An empty list means one piece:
	 * `span`, at the source's speed.
	 */
	pieces?: Piece[];
	/**
	 * What the clip's posts say besides the title.
	 */
	post?: PostTexts;
	/**
	 * Why the scorer chose the span.
	 */
	reason: string;
	/**
	 * The scenes in order of time. They cover the clip from 0 to its end without gaps. A crop
	 * window jumps only between two scenes.
	 */
	scenes: Scene[];
	/**
	 * The quality of the span as a clip.
	 */
	score: Score;
	/**
	 * The shots, on the clip's timeline. They explain the scenes. The renderer does not read them.
	 */
	shots: Shot[];
	/**
	 * Music and effects that play with the clip's own sound, not during intro and outro.
	 */
	sound?: Sound[];
	/**
	 * The source file.
	 */
	source: PlanSource;
	/**
	 * The stretch of the source that the clip is made of, on the source's timeline, in seconds. It
	 * ranks and names the clip.
	 */
	span: Span;
	/**
	 * The tracks of subjects other than faces, on the clip's timeline. They explain the crop
	 * paths. The renderer does not read them.
	 */
	subjects?: SubjectTrack[];
	/**
	 * The clip's title. The clip's file is named after it.
	 */
	title: string;
	/**
	 * The version of this document: `ClipPlan.VERSION`.
	 */
	version: number;
	/**
	 * The punch-ins, in order of time, without overlaps.
	 */
	zooms?: Zoom[];
}
/**
 * The positions of one face through one shot.
 */
export interface FaceTrack {
	/**
	 * The track's number, unique in its `Tracks`.
	 */
	id: number;
	/**
	 * The positions in order of time, at least one.
	 */
	samples: FaceSample[];
}
interface FaceSample {
	/**
	 * The frame's time: on the source's timeline in `Tracks`, on the clip's timeline in a plan.
	 */
	at: Timestamp;
	/**
	 * The detector's confidence, 0 to 1.
	 */
	confidence: number;
	/**
	 * How much the mouth region changed since the previous sample. It is 0 for a still mouth and
	 * has no upper bound. The values of a speaking mouth are well above those of a closed one.
	 */
	mouth: number;
	/**
	 * The face's bounding box in the displayed picture.
	 */
	rect: Rect;
	/**
	 * The probability that this person speaks, 0 to 1, by a model of sound and picture. `None`
	 * where no model was run: a single face, faces that do not move, no model on the machine.
	 */
	speaking?: number | null;
}
interface Hook {
	/**
	 * The part of the output for the title, in fractions of the output's width and height. The
	 * text is centered in it, and its size is reduced until it fits.
	 */
	area: Rect;
	/**
	 * When the title is shown, on the clip's timeline.
	 */
	span: Span;
	/**
	 * The appearance of the title.
	 */
	style: HookStyle;
	/**
	 * The text, drawn literally, without markup.
	 */
	text: string;
}
interface Output {
	/**
	 * The audio bit rate in bits per second (AAC, 48 kHz, stereo).
	 */
	audio_bitrate: number;
	/**
	 * The video codec: `h264` (x264, High profile, yuv420p, BT.709).
	 */
	codec: string;
	/**
	 * x264's constant rate factor, 0 to 51. A lower value gives a better picture and a larger
	 * file.
	 */
	crf: number;
	/**
	 * The constant frame rate.
	 */
	frame_rate: FrameRate;
	/**
	 * The height in pixels, an even number.
	 */
	height: number;
	/**
	 * The loudness to normalize the audio to. `None` leaves the source's loudness unchanged.
	 */
	loudness?: Loudness | null;
	/**
	 * x264's speed preset.
	 */
	preset: X264Preset;
	/**
	 * The width in pixels, an even number.
	 */
	width: number;
}
interface FrameRate {
	/**
	 * The number of seconds for `num` frames.
	 */
	den: number;
	/**
	 * The number of frames in `den` seconds.
	 */
	num: number;
}
interface Piece {
	/**
	 * The stretch on the source's timeline, in seconds.
	 */
	span: Span;
	/**
	 * The playback speed, 0.5 to 2: source time divided by clip time. The pitch of the sound is
	 * kept. Default 1.
	 */
	speed?: number;
}
interface PostTexts {
	/**
	 * The description. Publishers shorten it to what their platform accepts.
	 */
	description?: string;
	/**
	 * The spoken language as a BCP 47 tag. `None` means that it is not known.
	 */
	language?: string | null;
	/**
	 * The tags, without `#`, the most fitting first.
	 */
	tags?: string[];
}
interface Scene {
	/**
	 * The scene's layout.
	 */
	layout: Layout;
	/**
	 * The scene's span on the clip's timeline.
	 */
	span: Span;
}
interface Crop {
	/**
	 * The window's height as a fraction of the picture's height.
	 */
	height: number;
	/**
	 * The crop path: the keyframes of the window's top left corner, in order of time. The position
	 * is interpolated linearly between two keyframes. It is constant before the first keyframe and
	 * after the last.
	 */
	path: CropKey[];
	/**
	 * The window's width as a fraction of the picture's width.
	 */
	width: number;
}
interface CropKey {
	/**
	 * The time on the clip's timeline.
	 */
	at: Timestamp;
	/**
	 * The window's left edge as a fraction of the picture's width.
	 */
	x: number;
	/**
	 * The window's top edge as a fraction of the picture's height.
	 */
	y: number;
}
interface Speaking {
	/**
	 * The time from which the mark applies, on the clip's timeline.
	 */
	from: Timestamp;
	/**
	 * The half to mark. `None` means that nobody speaks or that the speaker is in neither half.
	 */
	half?: Half | null;
}
interface Pane {
	/**
	 * The crop window.
	 */
	crop: Crop;
	/**
	 * The position in fractions of the output's width and height.
	 */
	place: Rect;
}
/**
 * The frames between two consecutive camera cuts. The span's start is the time of the first frame.
 */
export interface Shot {
	/**
	 * The kind of picture that the shot shows.
	 */
	content?: ShotContent;
	/**
	 * The shot's span: on the source's timeline in `Tracks`, on the clip's timeline in a plan.
	 */
	span: Span;
}
interface PlanSource {
	/**
	 * The position of the audio track to render among the file's audio streams, from 0. `None`
	 * means the file's default track.
	 */
	audio_track?: number | null;
	/**
	 * The duration of the file.
	 */
	duration: Timestamp;
	/**
	 * The height of the displayed picture, in pixels.
	 */
	height: number;
	/**
	 * The reference to the file. A step that needs the file locates it on its machine.
	 */
	media: MediaRef;
	/**
	 * The width of the displayed picture, in pixels.
	 */
	width: number;
}
/**
 * A reference to a media file by address and content. Plans and manifests keep it, so that they
 * stay valid after the local copy is removed, and on other machines.
 */
export interface MediaRef {
	/**
	 * The hash of the file's content.
	 */
	id: ContentId;
	/**
	 * The file's size and modification time when it was identified. If they are unchanged, the
	 * file is not hashed again. `None` for media in a media store.
	 */
	stamp?: FileStamp | null;
	/**
	 * The path or URL that the source was given. A relative path is resolved against the working
	 * folder.
	 */
	uri: string;
}
interface FileStamp {
	/**
	 * The modification time in microseconds since 1970-01-01 UTC.
	 */
	modified: number;
	/**
	 * The size in bytes.
	 */
	size: number;
}
interface SubjectTrack {
	/**
	 * The positions in order of time, at least one.
	 */
	samples: SubjectSample[];
}
interface SubjectSample {
	/**
	 * The frame's time: on the source's timeline in `Tracks`, on the clip's timeline in a plan.
	 */
	at: Timestamp;
	/**
	 * The subject's bounding box in the displayed picture.
	 */
	rect: Rect;
}
interface Zoom {
	/**
	 * How long the picture takes to become larger, and at the end smaller, in seconds, 0 to 10.
	 * 0 is at once. Default 0.3. If the span is too short, half of it.
	 */
	ease?: number;
	/**
	 * How many times larger the picture is, 1 to 2.
	 */
	scale: number;
	/**
	 * When it lasts, on the clip's timeline, with its easing.
	 */
	span: Span;
	/**
	 * The point that stays in its place in the output, as a fraction of the window's width and
	 * height from its top left corner. Default: 0.5 each, the middle.
	 */
	x?: number;
	/**
	 * See `x`.
	 */
	y?: number;
}
interface Color {
	/**
	 * The transfer function for high dynamic range. `None` means standard dynamic range.
	 */
	hdr?: Hdr | null;
	/**
	 * The matrix coefficients between RGB and luma and chroma.
	 */
	matrix: string;
	/**
	 * The color primaries.
	 */
	primaries: string;
	/**
	 * The range of 8-bit luma values: `tv` (16 to 235) or `pc` (0 to 255).
	 */
	range: string;
	/**
	 * The transfer function between code values and light.
	 */
	transfer: string;
}
interface Concurrency {
	at_once?: number;
}
interface Diagnosis {
	/**
	 * The things, in the order of a run.
	 */
	checks: Check[];
	/**
	 * clipkit's version.
	 */
	version: string;
}
interface EditChanges {
	/**
	 * The clip after the last operation.
	 */
	after: ClipMeasure;
	/**
	 * The clip before the first operation.
	 */
	before: ClipMeasure;
	/**
	 * Each operation, in order.
	 */
	steps: EditStep[];
}
interface EditStep {
	/**
	 * The clip after it.
	 */
	after: ClipMeasure;
	/**
	 * The operation's name: `EditOp.name`.
	 */
	op: string;
}
interface WordRange {
	/**
	 * The number of the first word, from 0.
	 */
	from: number;
	/**
	 * The number after that of the last word.
	 */
	to: number;
}
interface WordQuote {
	/**
	 * Whether all places are meant. Default `false`.
	 */
	all?: boolean;
	/**
	 * Which of several places, from 1. Without it, a quote that is said more than once is an
	 * error.
	 */
	occurrence?: number | null;
	/**
	 * What is said. Case and punctuation do not count.
	 */
	quote: string;
}
interface SentenceDistance {
	/**
	 * The number of sentences: positive is later, negative is earlier, and 0 moves to the bound of
	 * the sentence that the clip starts or ends in.
	 */
	sentences: number;
}
/**
 * An edited plan.
 */
export interface Edited {
	/**
	 * What the operations changed.
	 */
	changes: EditChanges;
	/**
	 * The plan after the operations.
	 */
	plan: ClipPlan;
}
/**
 * An `Error` as a document: what manifests, queues, services and other languages hand on.
 *
 * It is read back with `ErrorReport.into_error`; the cause
 * (`source`) is not part of it.
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
interface Recovery {
	/**
	 * `retry`, `refresh_credentials`, `reencode`, `wait_until` or `give_up`.
	 */
	action: string;
	/**
	 * For `retry`: the delay that the server asked for, in seconds.
	 */
	after?: number | null;
	/**
	 * For `wait_until`: the time, in seconds since 1970-01-01 UTC.
	 */
	until?: number | null;
}
/**
 * A problem that did not stop a run, and how the run continued.
 */
export interface Warning {
	/**
	 * The rank of the clip concerned, from 1. `None` means that the warning concerns the whole
	 * run.
	 */
	clip?: number | null;
	/**
	 * The kind of the warning, for a program to branch on.
	 */
	kind?: WarningKind;
	/**
	 * One line for a person: the problem, how the run continued, and how to avoid the problem.
	 */
	message: string;
	/**
	 * The stage that had the problem.
	 */
	stage: Stage;
}
interface ManifestClip {
	/**
	 * The name of the cover, relative to the output folder. `None` means that the cover was not
	 * published as a file.
	 */
	cover?: string | null;
	/**
	 * The clip's file: a name relative to the output folder, or a URL.
	 */
	file: string;
	/**
	 * A line of text for the clip's first seconds or for the text of a post. `None` means that the
	 * scorer wrote no line.
	 */
	hook_line?: string | null;
	/**
	 * The clip's id.
	 */
	id: ClipId;
	/**
	 * The name of the plan, relative to the output folder. `None` means that the plan was not
	 * published as a file.
	 */
	plan?: string | null;
	/**
	 * The clip's position in the ranking, from 1.
	 */
	rank: number;
	/**
	 * Why the scorer chose the span.
	 */
	reason: string;
	/**
	 * The receipts of the publications, one for each target.
	 */
	receipts?: Receipt[];
	/**
	 * The clip's quality.
	 */
	score: Score;
	/**
	 * The clip's span on the source's timeline, in seconds.
	 */
	span: Span;
	/**
	 * The clip's title.
	 */
	title: string;
	/**
	 * The targets that the clip could not be published to, if another target has it.
	 */
	unpublished?: Unpublished[];
	/**
	 * The warnings that concern this clip.
	 */
	warnings: Warning[];
}
/**
 * The result of a publication: where the clip is and what its status is.
 */
export interface Receipt {
	/**
	 * The account at the target. `None` means that the target has no accounts.
	 */
	account?: string | null;
	/**
	 * The names of the files at the target. `None` means that the target has no files.
	 */
	files?: PublishedFiles | null;
	/**
	 * The clip's id at the target: a platform's video id, an object's key or a file name.
	 */
	id: string;
	/**
	 * When the clip became or becomes visible, in RFC 3339. `None` means that the time is not
	 * known.
	 */
	published_at?: string | null;
	/**
	 * What the publisher needs to resume or query the publication, for example an upload's
	 * session. Only the publisher that wrote it reads it. It holds no secrets.
	 */
	resume?: {
		[k: string]: unknown;
	};
	/**
	 * The status of the publication.
	 */
	status?: PublishStatus;
	/**
	 * The publishing target: `folder`, `s3`, `youtube` ...
	 */
	target: string;
	/**
	 * The URL where the clip can be watched. `None` means that the URL is not known yet or that
	 * the clip is a local file.
	 */
	url?: string | null;
}
interface PublishedFiles {
	/**
	 * The name of the cover. `None` means that the cover was not published.
	 */
	cover?: string | null;
	/**
	 * The name of the plan. `None` means that the plan was not published.
	 */
	plan?: string | null;
	/**
	 * The name of the clip's MP4 file.
	 */
	video: string;
}
interface Unpublished {
	/**
	 * The publisher's error.
	 */
	error: ErrorReport;
	/**
	 * The publishing target.
	 */
	target: string;
}
/**
 * A chosen clip that could not be made.
 */
export interface FailedClip {
	/**
	 * The error of the stage that failed.
	 */
	error: ErrorReport;
	/**
	 * The clip's position in the ranking, from 1.
	 */
	rank: number;
	/**
	 * The clip's span on the source's timeline, in seconds.
	 */
	span: Span;
	/**
	 * The clip's title.
	 */
	title: string;
}
interface FileSource {
	/**
	 * Whether the file is copied into the media store
	 * (`Context.media_store`), so that later steps find it after
	 * the original is removed. Default: `false`, which reads the file in place.
	 */
	store?: boolean;
}
interface FrameOptions {
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
interface HttpSource {
	/**
	 * Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
	 * Default: none.
	 */
	allow_private?: string[];
	/**
	 * The longest wait for the next bytes, in seconds. Default 30.
	 */
	idle_timeout?: number;
	/**
	 * The longest time that a download may take, in seconds. Default 6 hours.
	 */
	timeout?: number;
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
interface LimitsFields {
	answer_bytes?: number | null;
	clips?: number | null;
	document_bytes?: number | null;
	download_bytes?: number | null;
	/**
	 * The limits that missing fields are taken from. Default: `default`.
	 */
	like?: LimitsName;
	media_secs?: number | null;
	media_streams?: number | null;
	picture_height?: number | null;
	picture_pixels?: number | null;
	picture_width?: number | null;
	plan_overlays?: number | null;
	plan_pieces?: number | null;
	plan_secs?: number | null;
	plan_sounds?: number | null;
	transcript_bytes?: number | null;
	transcript_cues?: number | null;
	transcript_words?: number | null;
}
interface Manifest {
	/**
	 * The clips in order of rank, the best first.
	 */
	clips: ManifestClip[];
	/**
	 * The clips that could not be made, in order of rank, with their errors.
	 */
	failed?: FailedClip[];
	/**
	 * The input.
	 */
	source: PlanSource;
	/**
	 * The time that each stage took.
	 */
	timings: Timing;
	/**
	 * The use and the cost of paid models, one entry for each stage and model. The list is empty
	 * if no paid model was used.
	 */
	usage?: Usage[];
	/**
	 * The version of this document: `Manifest.VERSION`.
	 */
	version: number;
	/**
	 * The warnings that concern the run as a whole.
	 */
	warnings: Warning[];
}
interface Timing {
	/**
	 * The time from the start to the end of the run, in seconds.
	 */
	total: number;
	[k: string]: number;
}
/**
 * The use of one paid model by a stage, and its cost. Stages report it with
 * `Context.spend`.
 */
export interface Usage {
	/**
	 * The duration of the transcribed audio, in seconds.
	 */
	audio_seconds?: number;
	/**
	 * The number of output tokens.
	 */
	completion_tokens?: number;
	/**
	 * The cost in US dollars, as an estimate and not an invoice. It uses the configured price,
	 * else the prices of OpenAI's models that third parties quoted in June 2026. `None` means that
	 * the price is not known.
	 */
	cost_usd?: number | null;
	/**
	 * Whether some token counts are estimates, because the server did not report them. Estimates
	 * tend to be too high rather than too low.
	 */
	estimated?: boolean;
	/**
	 * The model's name in the requests.
	 */
	model?: string;
	/**
	 * The number of input tokens.
	 */
	prompt_tokens?: number;
	/**
	 * The number of requests that the server answered or may have answered.
	 */
	requests?: number;
	/**
	 * The stage that used the model. `Context.spend` replaces `None` by
	 * the context's stage.
	 */
	stage?: Stage | null;
}
/**
 * A media file on this machine and its streams.
 */
export interface Media {
	/**
	 * What the platform or the file says about the video: title, chapters, language.
	 */
	about?: About;
	/**
	 * The audio streams, in file order.
	 */
	audio: AudioStream[];
	/**
	 * The position in `audio` of the track that is heard and rendered, from 0. `None` means the
	 * file's default track.
	 */
	audio_track?: number | null;
	/**
	 * The container's short name in FFmpeg (`mov,mp4,m4a,3gp,3g2,mj2`).
	 */
	container: string;
	/**
	 * The duration of the longest audio or video stream. It is measured if the container's value
	 * is missing or implausible.
	 */
	duration: Timestamp;
	/**
	 * The hash of the file's content, or a platform's name and the video's id there.
	 */
	id: ContentId;
	/**
	 * The file's path on this machine. Another process locates the file again.
	 */
	path: string;
	/**
	 * The file's size and modification time. `None` for media in a media store.
	 */
	stamp?: FileStamp | null;
	/**
	 * The subtitle streams, in file order.
	 */
	subtitles: SubtitleStream[];
	/**
	 * The path or URL that the source was given, without the user information, the query and the
	 * fragment of a URL, which can hold secrets. A video of a platform has its canonical URL.
	 */
	uri: string;
	/**
	 * The video stream that a player shows. `None` means that the file has no video.
	 */
	video?: VideoStream | null;
}
interface SubtitleStream {
	/**
	 * The codec's short name in FFmpeg (`subrip`, `webvtt`, `ass`, `mov_text`,
	 * `hdmv_pgs_subtitle`).
	 */
	codec: string;
	/**
	 * Whether the file marks the stream as one that is always shown: signs and foreign speech,
	 * not all that is said.
	 */
	forced?: boolean;
	/**
	 * The stream's index in the file.
	 */
	index: number;
	/**
	 * The language tag in the file. `None` means that the file does not state it.
	 */
	language?: string | null;
	/**
	 * The stream's title in the file: `English (SDH)`. `None` means that the file does not state
	 * it.
	 */
	title?: string | null;
}
interface VideoStream {
	/**
	 * The number of bits for each component.
	 */
	bit_depth: number;
	/**
	 * The codec's short name in FFmpeg (`h264`).
	 */
	codec: string;
	/**
	 * The color space of the stored picture.
	 */
	color: Color;
	/**
	 * The time at which the last frame ends, on the source's timeline. `None` means that it was
	 * not measured.
	 */
	end?: Timestamp | null;
	/**
	 * The average frame rate of the file.
	 */
	frame_rate: FrameRate;
	/**
	 * The stored height in pixels, before rotation and pixel aspect ratio are applied.
	 */
	height: number;
	/**
	 * The stream's index in the file.
	 */
	index: number;
	/**
	 * How the stored picture is oriented for display.
	 */
	orientation: Orientation;
	/**
	 * The pixel aspect ratio of the stored picture: a pixel's width divided by its height.
	 */
	pixel_aspect: number;
	/**
	 * The pixel format's name in FFmpeg (`yuv420p10le`).
	 */
	pixel_format: string;
	/**
	 * The time of the first frame, on the source's timeline.
	 */
	start: Timestamp;
	/**
	 * The time code of the first frame, as the file states it: `01:00:00:00`, with a semicolon
	 * before the frames for drop frame. `None` if the file states none.
	 */
	timecode?: string | null;
	/**
	 * Whether the frame rate is variable.
	 */
	variable_rate: boolean;
	/**
	 * The stored width in pixels, before rotation and pixel aspect ratio are applied. Frames of
	 * another size may follow: positions in a plan and in tracks are those in a picture of this
	 * size, in whose middle they are shown as large as fits.
	 */
	width: number;
}
interface Orientation {
	/**
	 * The clockwise rotation in degrees: 0, 90, 180 or 270.
	 */
	clockwise: number;
	/**
	 * Whether the picture is mirrored left to right before the rotation.
	 */
	mirrored: boolean;
}
interface ObjectStoreSource {
}
interface OnnxTrackerOptions {
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
	 * The folder of an active speaker model: the files `audio_frontend.onnx`,
	 * `visual_frontend.onnx` and `av_backend.onnx` of LR-ASD. It tells who speaks where several
	 * faces move, at about 110 ms of one core per second and face. `None`, the default, goes by
	 * the movement of mouths alone; a configured tracker then takes the model of
	 * `WeightsStore.find_active_speaker`.
	 */
	speaker_model?: string | null;
	/**
	 * Threads of one inference; default 1, which takes the least CPU time with models this small.
	 * 0 starts one per core.
	 */
	threads?: number;
}
interface OpenAiServer {
	/**
	 * The address below which the API's paths lie, such as `http://localhost:8000/v1`. Default:
	 * `OPENAI_BASE_URL`, else OpenAI's.
	 */
	base_url?: string | null;
	/**
	 * The layers around each request, innermost first. Default: one `Retry`; nothing else
	 * repeats a request, so an empty list sends each request once. In one process, all stages with
	 * the same address, organization, key and layers share the state of the layers, because a
	 * server counts requests per account: a rate limit holds for transcriber and scorer together.
	 * A cache is not allowed here; put it around the stage.
	 */
	layers?: LayerConfig[];
	/**
	 * The organization that requests are charged to. Default: `OPENAI_ORG_ID`.
	 */
	organization?: string | null;
}
interface OpenAiTranscriberOptions {
	/**
	 * The spoken language as ISO 639-1 (`en`). Default: the server detects it.
	 */
	language?: string | null;
	/**
	 * The model. Default `whisper-1`, OpenAI's model with word timestamps.
	 */
	model?: string;
	/**
	 * Names and terms whose spelling the model should follow, or a sentence in the wanted style.
	 * `whisper-1` uses the last 224 tokens.
	 */
	prompt?: string | null;
	/**
	 * The server. Default: OpenAI's, with the key in `OPENAI_API_KEY`.
	 */
	server?: OpenAiServer;
	/**
	 * The time limit of one request, in seconds. A request that exceeds it is sent again, as the
	 * server's layers say. Default 600; 0 counts as 1.
	 */
	timeout_secs?: number;
	/**
	 * How many chunks are uploaded concurrently. Default 3; 0 counts as 1.
	 */
	uploads?: number;
}
/**
 * The stages of a pipeline and their options. Every field has a default; unknown fields are
 * rejected.
 */
export interface PipelineConfig {
	/**
	 * The layers around each stage, innermost first: `{"transcribe": [{"retry": {}}, {"cache":
	 * {}}]}`. The order matters, see `StageExt`. Default: a cache in the user's cache folder for
	 * stages that use a model or an API, a retry for publishers to servers, and no layers for
	 * others. A list replaces the default, so `{"track": []}` tracks every span again.
	 *
	 * Layers also apply to stages that are set in a builder. The fallback of a stage
	 * (`ClipOptions.degrade`) is outside its layers and is not cached. Layers around the single
	 * requests to a server, by default a retry, are in
	 * `OpenAiServer.layers`.
	 */
	layers?: {
		[k: string]: LayerConfig[];
	};
	/**
	 * Which clips are made, and how many.
	 */
	options?: ClipOptions;
	/**
	 * The publishers. Every clip goes to each of them. Default: the folder `clips`.
	 */
	publishers?: PublisherConfig[];
	/**
	 * The renderer. Default: `ffmpeg`.
	 */
	renderer?: RendererConfig;
	/**
	 * The scorer. Default: `auto`.
	 */
	scorer?: ScorerConfig;
	/**
	 * The source. Default: `auto`.
	 */
	source?: SourceConfig;
	/**
	 * The cache for speech maps (the spans in which somebody speaks in a medium). Default: the
	 * user's cache folder. `null` means memory only.
	 */
	speech_cache?: Cache$1 | null;
	/**
	 * The tracker. Default: `auto`.
	 */
	tracker?: TrackerConfig;
	/**
	 * The transcriber. Default: `auto`.
	 */
	transcriber?: TranscriberConfig;
}
interface Schedule {
	/**
	 * No slot is earlier. A time in the past means now. Default: now.
	 */
	from?: string | null;
	/**
	 * The most clips of an account on a day of the time zone. Default: 6, which YouTube allows new
	 * accounts.
	 */
	per_day?: number;
	/**
	 * The least time between two clips of an account, in seconds. Default: an hour.
	 */
	spacing?: number;
	/**
	 * The windows. Without any, every time from `from` on is a slot. Default:
	 * 12:00 and 17:00 from Monday to Friday, for an hour each.
	 */
	windows?: SlotWindow[];
	/**
	 * The time zone by its IANA name: `Europe/Berlin`. Default: `UTC`.
	 */
	zone?: string;
}
interface SlotWindow {
	/**
	 * The days. Default: all.
	 */
	days?: Day[];
	/**
	 * The length in minutes. Default: 60.
	 */
	minutes?: number;
	/**
	 * The start by the clocks of the time zone: `17:00`.
	 */
	start: string;
}
interface Price {
	/**
	 * For prompt tokens.
	 */
	input: number;
	/**
	 * For completion tokens, reasoning tokens included.
	 */
	output: number;
}
interface YtDlp {
	/**
	 * Private addresses and networks that may be connected to: `127.0.0.1`, `10.1.0.0/16`.
	 * Default: none.
	 */
	allow_private?: string[];
	/**
	 * A file with cookies in Netscape's format. It is used only after an attempt without it, if
	 * the platform wants a login. It is neither changed nor logged.
	 */
	cookies?: string | null;
	/**
	 * The largest resolution to fetch, by the shorter side in pixels. Default 1080.
	 */
	height?: number;
	/**
	 * The program. Default: `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`.
	 */
	program?: string | null;
	/**
	 * A proxy for metadata and captions only: `http://user:password@host:3128`. The media come
	 * without it. If the platform refuses that, since it ties media to the address that asked for
	 * them, all goes through the proxy.
	 */
	proxy_metadata?: string | null;
	/**
	 * The part to fetch, on the video's timeline. The media's times start at the section's start.
	 * The section is also part of `Media.uri`, as a media fragment
	 * (`#t=600,2400`), which a URI may have, too. Default: all of the video.
	 */
	section?: Span | null;
	/**
	 * The longest time that the download may take, in seconds. Default 6 hours.
	 */
	timeout?: number;
}
/**
 * The result of `Pipeline.plan_all`: the clips that would be made.
 */
export interface Planned {
	/**
	 * The clips that could not be planned, best first, each with its error.
	 */
	failed?: FailedClip[];
	/**
	 * The input.
	 */
	media: Media;
	/**
	 * One plan per clip, best first.
	 */
	plans: RankedPlan[];
	/**
	 * The usage and cost of paid models.
	 */
	usage: Usage[];
	/**
	 * The warnings of the run. `Warning.clip` is the rank of the clip that a warning concerns.
	 */
	warnings: Warning[];
}
/**
 * A plan and its rank, which is part of its files' names.
 */
export interface RankedPlan {
	/**
	 * The plan.
	 */
	plan: ClipPlan;
	/**
	 * The rank, from 1.
	 */
	rank: number;
}
/**
 * A clip to publish, for a `Publisher`.
 *
 * A publisher reads the files and must not move or change them, since several publishers can get
 * the same post.
 */
export interface Post {
	/**
	 * The clip's id.
	 */
	clip: ClipId;
	/**
	 * The description that the platform shows with the clip. It can be empty.
	 */
	description?: string;
	/**
	 * The clip's files.
	 */
	files: PostFiles;
	/**
	 * The spoken language as a BCP 47 tag. `None` means that the language is not known.
	 */
	language?: string | null;
	/**
	 * Whether the clip is made for children, a declaration that platforms require. Default
	 * `false`.
	 */
	made_for_kids?: boolean;
	/**
	 * Who can see the clip. Default: everybody.
	 */
	privacy?: Privacy;
	/**
	 * When the clip becomes visible, in RFC 3339. `None` means at once.
	 */
	publish_at?: string | null;
	/**
	 * The clip's position in the ranking, from 1. It only numbers file names.
	 */
	rank?: number;
	/**
	 * Whether the clip shows realistic synthetic media, a declaration that platforms require.
	 * Default `false`.
	 */
	synthetic?: boolean;
	/**
	 * The tags, without `#`.
	 */
	tags?: string[];
	/**
	 * The title.
	 */
	title: string;
}
interface PostFiles {
	/**
	 * The captions on the clip's timeline, as an SRT file. `None` means that the clip has no
	 * captions.
	 */
	captions?: string | null;
	/**
	 * The cover picture, a JPEG file. `None` means that there is no cover.
	 */
	cover?: string | null;
	/**
	 * The clip plan, as a JSON file. `None` means that the plan is not published.
	 */
	plan?: string | null;
	/**
	 * The MP4 file.
	 */
	video: string;
}
/**
 * The files of a rendered clip. They lie in `Context.scratch` or in
 * the folder that was passed to the rendering step.
 */
export interface RenderedClip {
	/**
	 * The cover picture: a JPEG file with the output's size in pixels.
	 */
	cover: string;
	/**
	 * The clip's duration.
	 */
	duration: Timestamp;
	/**
	 * The number of video frames.
	 */
	frames: number;
	/**
	 * The MP4 file.
	 */
	video: string;
}
interface ScoreOptions {
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
 * The spoken words and their times.
 *
 * Words are in order of `start`. A word's end is not before its start and normally not after the
 * start of the next word.
 */
export interface Transcript {
	/**
	 * The sounds that are not speech, in order of `start`: `[Music]`, `(applause)`. Captions leave
	 * them out.
	 */
	events?: SoundEvent[];
	/**
	 * The language as a BCP 47 tag (`en`). `None` means that the language is not known.
	 */
	language?: string | null;
	/**
	 * The origin of the words, for people: a file's name or a model's name.
	 */
	origin?: string;
	/**
	 * The words, on the source's timeline.
	 */
	words: Word[];
}
interface SoundEvent {
	/**
	 * When the description is shown.
	 */
	span: Span;
	/**
	 * The description without brackets: `Music`.
	 */
	text: string;
}
/**
 * A spoken word with its punctuation.
 */
export interface Word {
	/**
	 * When the word's sound ends.
	 */
	end: Timestamp;
	/**
	 * The speaker's name or label. `None` means that the speaker is not known.
	 */
	speaker?: string | null;
	/**
	 * When the word's sound starts.
	 */
	start: Timestamp;
	/**
	 * The text with punctuation: `world.`
	 */
	text: string;
}
/**
 * Where somebody speaks in a medium, and how loud it is.
 */
export interface SpeechMap {
	/**
	 * The root mean square level of each interval of 50 ms from 0, in half decibels below full
	 * scale. 255 also stands for everything quieter.
	 */
	levels: number[];
	/**
	 * The spans with speech on the medium's timeline: sorted and not overlapping.
	 */
	spans: Span[];
}
/**
 * The target of a publisher: a platform or kind of place, and the account there.
 */
export interface Target {
	/**
	 * The account, bucket or folder. `None` if there is only one.
	 */
	account?: string | null;
	/**
	 * The platform or kind of place: `folder`, `s3`, `youtube`.
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
 * The shots, face tracks and subject tracks that a tracker found in a span.
 */
export interface Tracks {
	/**
	 * The face tracks, one for each person and shot. The list is empty if no face was detected.
	 */
	faces: FaceTrack[];
	/**
	 * The shots in order of time. They cover the span without gaps. The list is empty if the
	 * tracker did not detect shots.
	 */
	shots: Shot[];
	/**
	 * The tracks of subjects other than faces, for example a moving object. They do not overlap in
	 * time. They are not used in a shot with faces.
	 */
	subjects?: SubjectTrack[];
}
/** A clip of a manifest, with the paths of its files. */
export declare class Clip {
	#private;
	/** The path of the clip's file, or its address where it is not on this machine. */
	get path(): string;
	/** The path of its plan. Null where the plan was not published. */
	get planPath(): string | null;
	/** The path of its cover. Null where the cover was not published. */
	get coverPath(): string | null;
	/** Reads its plan, to change it and render it again. */
	readPlan(): Promise<documents.ClipPlan>;
}
export interface Clip extends documents.ManifestClip {
}
/** What a run made: the content of `clips.json`. */
type Manifest$1 = Omit<documents.Manifest, "clips"> & {
	clips: Clip[];
};
/** The progress of a stage, 0 to 1, for the run or for one clip. */
export type Progress = Extract<Event$1, {
	event: "progress";
}>;
/** Options of every call that takes time. */
export interface RunOptions {
	/** Cancels the work: it ends within a second and leaves no incomplete file. A promise that is not awaited goes on. */
	signal?: AbortSignal;
	/** Receives all events; progress at most ten times a second. An exception in it ends the run, which rejects with it. */
	onEvent?: (event: Event$1) => void;
	/** Receives the progress events. */
	onProgress?: (progress: Progress) => void;
}
/** Options of a context. */
export interface ContextOptions extends RunOptions {
	/** The parent folder of scratch space. Default: the first publisher's folder, else the system's folder for temporary files. */
	scratch?: string;
	/** The budget of all work under this context together, in US dollars. */
	maxCost?: number;
	/** How large inputs may be: `"strict"` for services, or changes such as `{ like: "strict", media_secs: 7200 }`. Default: `"default"`. */
	limits?: Limits;
	/** Threads for one piece of work; 0, the default, leaves it to each library. */
	threads?: number;
}
/**
 * What a stage receives besides its input: cancellation, progress, warnings, scratch space, accounts.
 *
 * A stage of yours receives one. Make one to call stages and steps by themselves, or to run several calls under one budget. Files in its scratch
 * space are removed when it is closed or collected as garbage.
 */
export declare class Context {
	#private;
	constructor(options?: ContextOptions);
	/** Cancels everything that runs under this context. */
	cancel(): void;
	/** Cancels everything that runs under this context and removes its scratch space. */
	close(): void;
	/** Whether it was cancelled. */
	get cancelled(): boolean;
	/** Throws a `ClipkitError` with code `cancelled` if this context was cancelled. Long loops call it in each iteration. */
	check(): void;
	/** Aborted when this context is cancelled: for `fetch` and other calls that take a signal. */
	get signal(): AbortSignal;
	/** The stage that this context was made for. */
	get stage(): Stage | null;
	/** The clip that this context was made for, from 1 in order of rank. */
	get clip(): number | null;
	/** How many threads one piece of work should use; 0 leaves it to each library. */
	get threads(): number;
	/** Reports the progress of this context's stage, 0 to 1. */
	progress(fraction: number): void;
	/** Adds a warning to the result and the events. `kind`: default `other`. */
	warn(message: string, kind?: WarningKind): void;
	/** The warnings so far. */
	get warnings(): Warning[];
	/** Records the use of a paid service. It is listed in the manifest. */
	spend(usage: Partial<Usage> & {
		model: string;
	}): void;
	/** The recorded use of paid services. */
	get usage(): Usage[];
	/** The rest of the budget, in US dollars; null where there is no budget. */
	get budgetLeft(): number | null;
	/**
	 * Identifies the publication that this context is for: a hash of the clip, the target and the account. A publisher that receives the same key
	 * twice publishes once. Null outside of `publish`.
	 */
	get idempotencyKey(): string | null;
	/**
	 * The path of a medium on this machine: where a step under this context found it, else its URI, where that is a path. Throws a `ClipkitError`
	 * with code `not_found` where it is neither.
	 */
	locate(media: MediaRef): string;
	/** A folder for temporary files. It is removed when the run ends; the folder of a context of your own, when that is closed or collected. */
	get scratch(): string;
	/** Waits; rejects at once when this context is cancelled. `reason` is emitted as an event. */
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
	renderer: documents.RenderedClip;
	publisher: documents.Receipt;
}
type Kind = keyof Inputs;
/** A span that could become a clip, as a scorer of yours may return it: with start and end, and with one score from 0 to 100. */
export interface CandidateLike {
	start?: number;
	end?: number;
	span?: documents.Span;
	score: number | documents.Score;
	title?: string;
	reason?: string;
	hook_line?: string | null;
}
/** A receipt, as a publisher of yours may return it. Target and account default to the publisher's `target`. */
export type ReceiptLike = Omit<documents.Receipt, "target"> & {
	target?: string;
};
type Awaitable<T> = T | Promise<T>;
/** Fetches a video to this machine. It may return the file's path alone; then the file is probed. */
export interface SourceLike {
	fetch(cx: Context, uri: string): Awaitable<documents.Media | string>;
}
/** Transcribes a video: words in order, with times in seconds of the source, punctuation with its word. */
export interface TranscriberLike {
	transcribe(cx: Context, media: documents.Media): Awaitable<documents.Transcript>;
	/** What the answers depend on besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Chooses and ranks spans, best first: at most `options.max_clips`, of `options.min` to `options.max` seconds, without overlaps. */
export interface ScorerLike {
	score(cx: Context, scoring: documents.Scoring): Awaitable<CandidateLike[]>;
	/** What the answers depend on besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Detects shots and faces in a span: times in seconds of the source, boxes as fractions of the displayed picture. Omitted lists are empty. */
export interface TrackerLike {
	track(cx: Context, tracking: documents.Tracking): Awaitable<Partial<documents.Tracks>>;
	/** What the answers depend on besides the input, for a `Cache` around it. */
	fingerprint?: string | (() => string | null | undefined);
}
/** Renders the file that a plan describes, in `cx.scratch`. `cx.locate(plan.source.media)` is the source's path. */
export interface RendererLike {
	render(cx: Context, plan: documents.ClipPlan): Awaitable<documents.RenderedClip>;
	/** The columns and rows that plans are made for. */
	size?: [
		number,
		number
	];
}
/**
 * Publishes a rendered clip. It reads the post's files and never moves or changes them. The same post twice is one publication, also in another
 * process: `cx.idempotencyKey` identifies it. It may return the clip's address or id alone.
 */
export interface PublisherLike {
	publish(cx: Context, post: documents.Post): Awaitable<ReceiptLike | string>;
	/** Receives the manifest after the run's last clip. */
	conclude?(cx: Context, manifest: documents.Manifest): Awaitable<void>;
	/** Where it publishes: a platform's name, or the name and the account. Default `custom`. Two publishers of a pipeline have different targets. */
	target?: string | documents.Target;
	/** The folder on whose file system clips are rendered. Default: the system's folder for temporary files. */
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
/** Options of the clips: how many, how long, which shape. */
type ClipOptions$1 = Omit<Partial<documents.ClipOptions>, "max_cost" | "at_once"> & {
	/** The budget of a run, in US dollars. */
	maxCost?: number | null;
	/** The most clips in one stage at a time, where that is fewer than `jobs`. */
	atOnce?: Partial<Record<documents.Stage, number>>;
};
/** A publisher: a built-in one, an object of yours, or a configuration. */
export type PublisherOption = Likes["publisher"] | documents.PublisherConfig;
/** The stages: built-in ones, objects of yours, or configurations. An omitted stage has the default of the command. */
export interface StageOptions {
	source?: Likes["source"] | documents.SourceConfig;
	transcriber?: Likes["transcriber"] | documents.TranscriberConfig;
	scorer?: Likes["scorer"] | documents.ScorerConfig;
	tracker?: Likes["tracker"] | documents.TrackerConfig;
	renderer?: Likes["renderer"] | documents.RendererConfig;
	/** One or several: every clip is published to each of them. */
	publisher?: PublisherOption | PublisherOption[];
	/** The same under the name that a configuration uses. */
	publishers?: PublisherOption[];
	/** Layers around each stage, the first one innermost. They are put around given stages, too. */
	layers?: Partial<Record<documents.Stage, documents.LayerConfig[]>>;
}
/** Options of a pipeline. A `PipelineConfig` is one, too. */
export type PipelineOptions = StageOptions & ClipOptions$1 & {
	options?: ClipOptions$1 | documents.ClipOptions;
};
/** Options of {@link clip}. */
export type ClipRequest = StageOptions & ClipOptions$1 & RunOptions & {
	/** The folder for the clips. Default `clips`. */
	out?: string;
	/** The file of an existing transcript. Default: one beside the video or inside it. */
	transcript?: string;
};
/** An event of {@link Pipeline.events}. The last one is the manifest. */
export type RunEvent = documents.Event | ({
	event: "manifest";
} & Manifest$1);
/**
 * Six stages and their options. A pipeline may run many times, also concurrently.
 *
 * `run` makes clips. Each of its steps is a method of its own (`fetch`, `transcribe`, `choose`, `track`, `plan`, `render`, `publish`): it takes and
 * returns documents, so that it can be a job in a queue. A step that fails rejects with its error, unless the option `degrade` allows a stand-in; a
 * run degrades by default where a stage of clipkit's own fails. The error of a stage of yours is the run's error, as the same object.
 */
export declare class Pipeline {
	#private;
	constructor(options?: PipelineOptions);
	/** Makes clips of the video at a path or an address, and publishes them. */
	run(input: string, options?: RunOptions | Context): Promise<Manifest$1>;
	/** Plans the clips of a video without rendering them. */
	planAll(input: string, options?: RunOptions | Context): Promise<documents.Planned>;
	/**
	 * Plans a whole video as one clip, without choosing: with captions, tightened, or, with the picture `"reframe"`, in another shape. `"keep"` keeps
	 * the source's picture. Render the plan with `render`, or make caption files of it with `exportPlan`.
	 */
	planWhole(input: string, picture?: "keep" | "reframe", options?: RunOptions | Context): Promise<documents.ClipPlan>;
	/** Renders and publishes plans: plans with their rank, as `planAll` returns them, or plans alone, ranked by their order. */
	renderAll(plans: (documents.RankedPlan | documents.ClipPlan)[], options?: RunOptions | Context): Promise<Manifest$1>;
	/** Step 1: fetches the video at a path or an address to this machine, and probes it. */
	fetch(uri: string, options?: RunOptions | Context): Promise<documents.Media>;
	/** Step 2: the words that are said in the video, with their times. */
	transcribe(media: documents.Media, options?: RunOptions | Context): Promise<documents.Transcript>;
	/** Step 3: the spans that are worth a clip, best first. Rejects with code `nothing_found` where there is none. */
	choose(media: documents.Media, transcript: documents.Transcript, options?: RunOptions | Context): Promise<documents.Candidate[]>;
	/** Where somebody speaks in the video, and how loud it is, for `edit`. */
	listen(media: documents.Media, options?: RunOptions | Context): Promise<documents.SpeechMap>;
	/** Step 4, for each clip: the camera shots and faces in its span. */
	track(media: documents.Media, span: documents.Span, options?: RunOptions | Context): Promise<documents.Tracks>;
	/** Step 5: the plan of a clip. It calls no stage; the same input gives the same plan. */
	plan(media: documents.Media, transcript: documents.Transcript, candidate: documents.Candidate, tracks: documents.Tracks, options?: RunOptions | Context): Promise<documents.ClipPlan>;
	/**
	 * Step 6: renders a plan. The files are in the scratch space of `cx` and are removed when `cx` is closed; until then the returned object keeps
	 * `cx` alive.
	 */
	render(plan: documents.ClipPlan, cx: Context): Promise<documents.RenderedClip>;
	/** The same, and makes the post of the clip: the document to edit and publish. `rank` numbers its files. */
	renderPost(rank: number, plan: documents.ClipPlan, cx: Context): Promise<documents.Post>;
	/** Step 7: publishes a post. A pipeline with several publishers needs `publishTo`. */
	publish(post: documents.Post, options?: RunOptions | Context): Promise<documents.Receipt>;
	/** Publishes a post to one of the pipeline's targets. */
	publishTo(target: documents.Target, post: documents.Post, options?: RunOptions | Context): Promise<documents.Receipt>;
	/** The publishers' targets. */
	targets(options?: RunOptions | Context): Promise<documents.Target[]>;
	/** Runs, and yields the events; the last one is the manifest. Leaving the loop cancels the run. */
	events(input: string, options?: RunOptions): AsyncGenerator<RunEvent, void, undefined>;
}
/**
 * Makes clips of a video: ranked, vertical, captioned.
 *
 * ```js
 * for (const c of await clip("talk.mp4", { out: "clips", clips: 8 })) console.log(c.path, c.score.total, c.title);
 * ```
 */
export declare function clip(input: string, request?: ClipRequest): Promise<Clip[]>;
/** A frame as a player shows it: upright, with square pixels. */
export interface Frame {
	/** Its presentation time, in seconds of the source. */
	at: number;
	width: number;
	height: number;
	/** Red, green and blue of each pixel, row by row from the top left, without padding: `3 * width * height` bytes. */
	data: Buffer;
}
/** Which frames, and their size. */
interface FrameOptions$1 {
	/** The most frames a second. Default: every frame. */
	perSecond?: number;
	/** The longer side in pixels. Default, and the most: the video's. */
	longest?: number;
}
/**
 * The frames of a span, in order. They are decoded on another thread, two ahead; leaving the loop stops it.
 *
 * ```js
 * for await (const { at, width, height, data } of frames(cx, media, span, { perSecond: 5, longest: 320 })) { ... }
 * ```
 */
declare function frames$1(cx: Context | RunOptions | null | undefined, media: documents.Media, span: documents.Span, options?: FrameOptions$1): AsyncGenerator<Frame, void, undefined>;
/** Options of {@link Jobs.open}. Every process that opens the same jobs should give the same. */
export interface JobsOptions {
	/** When failed steps run again. Times in seconds. */
	policy?: {
		attempts?: number;
		firstWait?: number;
		factor?: number;
		longestWait?: number;
		jitter?: number;
		longestAsk?: number;
	};
	/** The most jobs that have not ended. Default 10000. */
	mostOpen?: number;
	/** The same for one user. Default 1000. */
	mostOpenPerUser?: number;
	/** The free bytes of the disk below which jobs are refused. Default 1 GiB. */
	minFree?: number;
	/** How many ended jobs are kept. Default 100, and 50 failed ones. */
	keepDone?: number;
	keepFailed?: number;
}
/** What a job is besides its video. */
export interface JobRequest {
	/** The stages and their options. */
	config?: Partial<documents.PipelineConfig>;
	/** The publishers. Default: those of `config`. */
	publish?: documents.PublisherConfig[];
	/** Custom stages, by the names under which workers know them. */
	stages?: string[];
	/** Higher runs first. Default 0. */
	priority?: number;
	/** The earliest start: a date, or RFC 3339. */
	notBefore?: Date | string;
	/** Submitting with the key of an earlier job of the same user returns that job. */
	idempotencyKey?: string;
	/** Workers serve users in turn. */
	user?: string;
}
/** A job. */
export interface JobStatus {
	id: string;
	uri: string;
	user: string;
	priority: number;
	state: "delayed" | "waiting" | "active" | "done" | "failed" | "cancelled";
	tasks_done: number;
	tasks: number;
	created: string | null;
	ended: string | null;
	error?: documents.ErrorReport;
	manifest?: documents.Manifest;
}
/** An event of a job: one of a run, or `usage`, `failed`, `ended`. */
export type JobEvent = {
	number: number;
	at: string | null;
	event: string;
} & Record<string, unknown>;
/** A clip of a job. */
export interface JobClip {
	/** From 1. */
	rank: number;
	/** What the scorer chose. */
	candidate: documents.Candidate;
	/** Null before the clip is planned. */
	plan: documents.ClipPlan | null;
	/** Those of the targets that have the clip. */
	receipts: documents.Receipt[];
	tasks: {
		id: string;
		state: string;
		attempts: number;
		error?: documents.ErrorReport;
	}[];
	/** The paths of the published files, if the job publishes into a folder. */
	video: string | null;
	cover: string | null;
}
/** A link with which everybody can get a clip. */
export interface ClipLink {
	url: string;
	/** When it stops working, in RFC 3339. */
	expires: string | null;
}
/** A step that failed on all its attempts. */
export interface DeadLetter {
	id: string;
	queue: string;
	user: string;
	attempts: number;
	error?: documents.ErrorReport;
}
/** Which jobs {@link Jobs.list} returns. */
export interface JobFilter {
	user?: string;
	open?: boolean;
	state?: JobStatus["state"];
	/** Only jobs that were submitted before the one with this id. */
	before?: string;
	most?: number;
}
/** Options of a {@link Worker}. Times in seconds. */
interface WorkerOptions$1 {
	/** The queues to serve: `fetch`, `transcribe`, `score`, `track`, `render`, `publish`. Default: all. */
	serves?: string[];
	/** The most steps of a queue at a time, in this worker. */
	limits?: Record<string, number>;
	/** The most starts of a queue in a period, over all workers. */
	rates?: Record<string, {
		starts: number;
		per: number;
	} | null>;
	/** The most steps of one publishing target at a time, over all workers. Default 2. */
	perTarget?: number;
	/** How long a step may show no progress, by queue. */
	stall?: Record<string, number>;
	/** How long a step is held without a sign of life. Default 30. */
	lease?: number;
	/** How long running steps may go on when the worker is asked to stop. Default 8. */
	grace?: number;
	/** Stop when no job is open. */
	untilIdle?: boolean;
	/** Custom stages by name: objects with one of the stage methods. */
	stages?: Record<string, Likes[Kind]>;
}
/** Jobs in one SQLite file, which any number of processes of a machine may use at the same time, or in a Redis, for many machines. */
export declare class Jobs {
	/** Opens the jobs in a file, which is made if it does not exist. */
	static open(db: string, options?: JobsOptions): Promise<Jobs>;
	/**
	 * Jobs in a Redis or Valkey, as BullMQ keeps them, for workers on many machines.
	 *
	 * @param url `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` for TLS.
	 * @param folder Where documents and rendered clips are. All workers reach it under this path.
	 * @param options `prefix` is the beginning of all keys, `clipkit` by default.
	 */
	static redis(url: string, folder: string, { prefix, ...options }?: JobsOptions & {
		prefix?: string;
	}): Promise<Jobs>;
	/** Submits a job for the video at a path or an address, and returns its id. */
	submit(uri: string, request?: JobRequest): Promise<string>;
	/** A job; null if there is none with this id. */
	get(id: string): Promise<JobStatus | null>;
	/** The jobs, the newest first. */
	list(filter?: JobFilter): Promise<JobStatus[]>;
	/** Cancels a job: running steps stop within a second. False if it has ended. */
	cancel(id: string): Promise<boolean>;
	/** Runs the failed and cancelled steps of a job again. */
	retry(id: string): Promise<boolean>;
	/** Removes a job that has ended. Published clips stay. */
	remove(id: string): Promise<boolean>;
	/** The events of a job whose number is above `since`. */
	events(id: string, since?: number): Promise<JobEvent[]>;
	/** The clips of a job in order of rank, as far as it has come. */
	clips(id: string): Promise<JobClip[]>;
	/**
	 * Changes the plan of a clip by operations, as `edit` does. A worker then renders and publishes it again. With `dryRun`
	 * nothing changes. The job must have ended.
	 */
	editClip(id: string, rank: number, ops: readonly documents.EditOp[], { dryRun }?: {
		dryRun?: boolean | undefined;
	}): Promise<documents.Edited>;
	/**
	 * A signed link to a clip in the object store that the job publishes to. It works for `valid` seconds, at most as long
	 * as the publisher's `link`, which is the default. The environment has the store's credentials.
	 */
	link(id: string, rank: number, { valid, ...options }?: {
		valid?: number;
	} & RunOptions): Promise<ClipLink>;
	/** The steps that failed on all their attempts, each with its error. */
	deadLetters(): Promise<DeadLetter[]>;
	/** Runs a dead letter again, by its id. */
	replay(task: string): Promise<boolean>;
	/** Removes a dead letter, by its id. */
	discard(task: string): Promise<boolean>;
	/** Stops a queue: its steps wait. */
	pause(queue: string): Promise<void>;
	/** Lets a paused queue go on. */
	resume(queue: string): Promise<void>;
}
/** Does the steps of jobs, in this process. */
declare class Worker$1 {
	#private;
	constructor(jobs: Jobs, options?: WorkerOptions$1);
	/** Works until the signal is aborted or, with `untilIdle`, until no job is open. When it is aborted, running steps end or are handed back. */
	run(options?: RunOptions | Context): Promise<void>;
}
interface ModelInfo {
	id: string;
	about: string;
	license: string;
	file: string;
	url: string;
	sha256: string;
	/** The size of all its files. */
	bytes: number;
}
/** What to do next about an error. */
interface Recovery$1 extends Recovery {
	/** `retry`: the same call may succeed later. `give_up`: it will fail again. */
	action: "retry" | "refresh_credentials" | "reencode" | "wait_until" | "give_up";
	/** With `retry`: how long the other side asked to wait, in seconds. */
	after?: number | null;
	/** With `wait_until`: the moment, in seconds since 1970. */
	until?: number | null;
}
/** What is known of an error besides its code and message. */
export interface ErrorDetails {
	stage?: Stage | null;
	recovery?: Recovery$1;
	path?: string | null;
	at?: number | null;
	url?: string | null;
	advice?: string | null;
	cause?: unknown;
}
/**
 * The error class of this package. What a stage of yours throws is not wrapped: the call rejects with the same object.
 *
 * A stage of yours may throw one to state the kind of error (`code`) and whether to retry (`recovery`); layers such as `Retry` read it.
 */
export declare class ClipkitError extends Error {
	readonly name = "ClipkitError";
	/** The kind of error, to branch on. */
	readonly code: ErrorKind;
	/** The stage that failed. */
	readonly stage: Stage | null;
	/** What to do next. */
	readonly recovery: Recovery$1;
	/** The file concerned. */
	readonly path: string | null;
	/** The time in that file, in seconds. */
	readonly at: number | null;
	/** The address concerned, without user, password and query. */
	readonly url: string | null;
	/** What the user can do. The message of an error of clipkit's own ends with it. */
	readonly advice: string | null;
	constructor(code: ErrorKind, message: string, details?: ErrorDetails);
	/** The error as a document, as it stands in manifests: for a queue or a log. The cause is not part of it. */
	report(): ErrorReport;
}
/** What a layer of yours calls: the stage, or the next layer inside. */
export type Next<I, O> = (cx: Context, input: I) => Promise<O>;
/** A layer of your own. It may call `next` any number of times. */
export interface CustomLayer<I = any, O = any> {
	call(cx: Context, input: I, next: Next<I, O>): O | Promise<O>;
}
/**
 * A built-in layer. The last layer is outermost, and the order matters. From the stage outwards: `Timeout`, `Concurrency`, `RateLimit`, `Retry`,
 * `Cache`. Stages inside the same object share its state: a rate, places, kept answers.
 */
export declare abstract class BuiltInLayer {
}
/** Repeats a call that failed with the recovery `retry`: after 5 s, 10 s ..., or when the server asks. */
declare class Retry$1 extends BuiltInLayer {
	/**
	 * `attempts`: with the first one; default 3. `first`: the wait after the first attempt, in seconds; default 5. `factor`: the growth of the
	 * waits; default 2. `longest`: the longest wait in seconds; default 600; if a longer one is asked for, the error is returned.
	 */
	constructor(options?: {
		attempts?: number;
		first?: number;
		factor?: number;
		longest?: number;
	});
}
/** Limits the calls that begin in any minute and in any day; others wait. Inside `Retry`, so that each attempt counts. */
declare class RateLimit$1 extends BuiltInLayer {
	/** `perMinute`: default 5; null is no limit a minute. `perDay`: default no limit. */
	constructor(options?: {
		perMinute?: number | null;
		perDay?: number;
	});
}
/** Limits the calls that run at a time, in all runs together. */
declare class Concurrency$1 extends BuiltInLayer {
	/** `atOnce`: default 1. */
	constructor(options?: {
		atOnce?: number;
	});
}
/** Cancels a call that takes too long; its error (`timed_out`) may be retried. Next to the stage, so that waiting times do not count. */
declare class Timeout$1 extends BuiltInLayer {
	/** `seconds`: for one call; default 600. */
	constructor(options?: {
		seconds?: number;
	});
}
/** Keeps answers, for transcribers, scorers and trackers. Outside all other layers. */
declare class Cache$1 extends BuiltInLayer {
	/**
	 * `store`: a folder, or an address (`s3://bucket/prefix`, `gs://`, `az://`, `memory:///`); default the user's cache folder. `keep`: seconds;
	 * default 7 days. `about`: what the stage's answers depend on besides the input; default the stage's `fingerprint`.
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
	/** This stage, with `other` as its fallback. The use of the fallback leaves a warning. */
	or(other: Likes[K]): Faces[K];
}
/** Options of `fromConfig`. */
export interface DescribedOptions extends RunOptions {
	/** Layers around it, the first one innermost. Default: a cache around a stage that uses a model or an API. */
	layers?: documents.LayerConfig[];
}
/** Fetches a video to this machine and probes it. Extend it, or use an object with `fetch`. */
export declare abstract class Source extends AnyStage<"source"> {
	protected get kind(): "source";
	/** Fetches the video at a path or an address. */
	fetch(cx: Cx, uri: string): Promise<documents.Media>;
	/** A stage from an object with `fetch`, to put layers around it. */
	static from(source: Likes["source"]): Source;
	/** The source that a configuration describes. */
	static fromConfig(config: documents.SourceConfig, options?: DescribedOptions): Promise<Source>;
}
/** Transcribes a video. Extend it, or use an object with `transcribe`. */
export declare abstract class Transcriber extends AnyStage<"transcriber"> {
	protected get kind(): "transcriber";
	/** Transcribes the whole video. */
	transcribe(cx: Cx, media: documents.Media): Promise<documents.Transcript>;
	/** A stage from an object with `transcribe`, to put layers around it. */
	static from(transcriber: Likes["transcriber"]): Transcriber;
	/** The transcriber that a configuration describes. */
	static fromConfig(config: documents.TranscriberConfig, options?: DescribedOptions): Promise<Transcriber>;
}
/** Chooses and ranks the spans that are worth a clip. Extend it, or use an object with `score`. */
export declare abstract class Scorer extends AnyStage<"scorer"> {
	protected get kind(): "scorer";
	/** Chooses the spans, best first. */
	score(cx: Cx, scoring: documents.Scoring): Promise<documents.Candidate[]>;
	/** A stage from an object with `score`, to put layers around it. */
	static from(scorer: Likes["scorer"]): Scorer;
	/** The scorer that a configuration describes. */
	static fromConfig(config: documents.ScorerConfig, options?: DescribedOptions): Promise<Scorer>;
}
/** Detects shots and faces in a span of a video. Extend it, or use an object with `track`. */
export declare abstract class FaceTracker extends AnyStage<"tracker"> {
	protected get kind(): "tracker";
	/** Detects shots and faces in the span. */
	track(cx: Cx, tracking: documents.Tracking): Promise<documents.Tracks>;
	/** A stage from an object with `track`, to put layers around it. */
	static from(tracker: Likes["tracker"]): FaceTracker;
	/** The tracker that a configuration describes. For `onnx`, a missing model is downloaded. */
	static fromConfig(config: documents.TrackerConfig, options?: DescribedOptions): Promise<FaceTracker>;
}
/** Renders the file that a plan describes. Extend it, or use an object with `render`. */
export declare abstract class Renderer extends AnyStage<"renderer"> {
	protected get kind(): "renderer";
	/** Renders the plan into the scratch space of `cx`. The files are removed when `cx` is closed; until then the returned clip keeps `cx` alive. */
	render(cx: Context, plan: documents.ClipPlan): Promise<documents.RenderedClip>;
	/** A stage from an object with `render`, to put layers around it. */
	static from(renderer: Likes["renderer"]): Renderer;
	/** The renderer that a configuration describes. */
	static fromConfig(config: documents.RendererConfig, options?: DescribedOptions): Promise<Renderer>;
}
/** Publishes rendered clips to one target. Extend it, or use an object with `publish`. */
export declare abstract class Publisher extends AnyStage<"publisher"> {
	protected get kind(): "publisher";
	/** Publishes one clip. */
	publish(cx: Cx, post: documents.Post): Promise<documents.Receipt>;
	/** Receives the manifest of a run after its last clip. */
	conclude(cx: Cx, manifest: documents.Manifest): Promise<void>;
	/** A stage from an object with `publish`, to put layers around it. */
	static from(publisher: Likes["publisher"]): Publisher;
	/** The publisher that a configuration describes. */
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
/** Reads a file on this machine, given by its path. */
declare class FileSource$1 extends Source {
	constructor();
}
/** Takes a media file on an HTTP server into the media store. A download that breaks off continues. */
declare class HttpSource$1 extends Source {
	constructor(options?: HttpSourceOptions);
}
/** Options of an {@link HttpSource}. */
export interface HttpSourceOptions {
	/** The most bytes that a file may have; default 10 GiB. */
	maxBytes?: number;
	/** The longest time of a download in seconds; default 6 hours. */
	timeout?: number;
	/** The longest wait for the next bytes in seconds; default 30. */
	idleTimeout?: number;
	/** Private addresses and networks that may be connected to; default none. */
	allowPrivate?: string[];
}
/** Takes a file in an object store into the media store: `s3://`, `gs://`, `az://`. */
declare class ObjectStoreSource$1 extends Source {
	/** `maxBytes`: the most bytes that an object may have; default 10 GiB. */
	constructor(options?: {
		maxBytes?: number;
	});
}
/** Takes a video on a platform that yt-dlp knows, with its metadata and captions. */
declare class YtDlp$1 extends Source {
	constructor(options?: YtDlpOptions);
}
/** Options of {@link YtDlp}. */
export interface YtDlpOptions {
	/** The program; default `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`. */
	program?: string;
	/** The part to fetch, in seconds; default all of the video. */
	section?: {
		start: number;
		end: number;
	};
	/** The largest resolution by the shorter side in pixels; default 1080. */
	height?: number;
	/** A file with cookies, used if the platform wants a login. */
	cookies?: string;
	/** A proxy for metadata and captions only. */
	proxyMetadata?: string;
	/** The most bytes that the media may have; default 10 GiB. */
	maxBytes?: number;
	/** The longest time of the download in seconds; default 6 hours. */
	timeout?: number;
	/** Private addresses and networks that may be connected to; default none. */
	allowPrivate?: string[];
}
/** Takes a path, a URL of a media file, an object's address, else asks yt-dlp. The default. */
export declare class AutoSource extends Source {
	constructor(options?: AutoSourceOptions);
}
/** Options of an {@link AutoSource}. */
export interface AutoSourceOptions {
	/** Whether paths are accepted; default true. */
	local?: boolean;
	/** The part to fetch of a platform's video, in seconds; default all of it. */
	section?: {
		start: number;
		end: number;
	};
	/** Private addresses and networks that may be connected to; default none. */
	allowPrivate?: string[];
	/** Options for URLs of media files. */
	http?: HttpSourceOptions;
	/** Options for pages. */
	ytdlp?: YtDlpOptions;
}
/** Reads an existing transcript: SRT, WebVTT, ASS, json3, word times in JSON, a subtitle stream. */
export declare class Captions extends Transcriber {
	/**
	 * `file`: the transcript. Default: one beside the video or inside it. `encoding`: the text encoding
	 * of a file, such as `gbk`. Default: detected. `language` is preferred among several files and
	 * streams. `offset` is added to every time, in seconds; `"auto"` is what the voice shows.
	 */
	constructor(options?: {
		file?: string;
		encoding?: string;
		language?: string;
		offset?: number | "auto";
	});
}
/** A server with OpenAI's API. Defaults come from `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. */
interface OpenAiServer$1 {
	baseUrl?: string;
	organization?: string;
	/** It is not part of any document and is never logged. */
	apiKey?: string;
	/** Layers around each request, the first one innermost. Default: a retry. */
	layers?: documents.LayerConfig[];
}
/** Transcribes with a Whisper-style API. */
export declare class OpenAiTranscriber extends Transcriber {
	constructor(options?: OpenAiTranscriberOptions$1);
}
/** Options of an {@link OpenAiTranscriber}. */
type OpenAiTranscriberOptions$1 = Omit<documents.OpenAiTranscriberOptions, "server" | "timeout_secs"> & {
	server?: OpenAiServer$1;
	/** The timeout of one request, in seconds; default 600. */
	timeoutSecs?: number;
};
/** Transcribes on this machine, with a NeMo transducer (Parakeet TDT) or a CTC model in ONNX. */
export declare class LocalTranscriber extends Transcriber {
	private constructor();
	/**
	 * Opens a model. `model`: its folder or name; a named model is downloaded if it is missing; default the default speech
	 * model. `language`: the spoken language (`"en"`), which these models do not return.
	 */
	static load(model?: string, options?: RunOptions & {
		language?: string;
	}): Promise<LocalTranscriber>;
}
/** Chooses spans by rules over the words: hook, completeness, density, emotion. */
export declare class Heuristic extends Scorer {
	constructor(options?: HeuristicOptions);
}
/** Options of a {@link Heuristic}: none yet. */
export type HeuristicOptions = Record<string, never>;
/** A language model rates the heuristic's candidates, then compares the best. */
export declare class OpenAiScorer extends Scorer {
	constructor(options?: OpenAiScorerOptions);
}
/** Options of an {@link OpenAiScorer}. */
export type OpenAiScorerOptions = Omit<Extract<documents.ScorerConfig, {
	kind: "openai";
}>, "kind" | "server" | "timeout_secs"> & {
	server?: OpenAiServer$1;
	/** The timeout of one answer with its retries, in seconds; default 120. */
	timeoutSecs?: number;
};
/** Detects faces with a neural network, and cuts by comparing frames. */
export declare class OnnxTracker extends FaceTracker {
	private constructor();
	/** Loads a face detection model by its name (a missing one is downloaded) or the path of its file. Default: `ultraface-rfb-320`. */
	static load(model?: string, options?: OnnxTrackerOptions$1 & RunOptions): Promise<OnnxTracker>;
}
/** Options of an {@link OnnxTracker}. */
interface OnnxTrackerOptions$1 {
	/** Detections a second, 1 to 30; default 5. */
	samplesPerSecond?: number;
	/** The lowest confidence of a face, 0 to 1; default: what the model's authors use. */
	confidence?: number;
	/** Threads for one inference; default 1, which needs the least CPU time. 0 is one for each core. */
	threads?: number;
	/** The path of the ONNX Runtime library. A process loads only the first one that is asked for. */
	library?: string;
}
/** Follows motion, without a model. */
export declare class MotionTracker extends FaceTracker {
	constructor();
}
/** Detects nothing: the crop stays in the middle. */
export declare class CenterTracker extends FaceTracker {
	constructor();
}
/** Renders with the FFmpeg libraries, in this process. */
export declare class FfmpegRenderer extends Renderer {
	/**
	 * `size`: columns and rows, both even; default: from the options' `aspect`. `threads`: for one clip; default: the cores divided by the number of
	 * clips that are rendered concurrently.
	 */
	constructor(options?: {
		size?: [
			number,
			number
		];
		threads?: number;
	});
}
/** Publishes to a folder: `NN-title.mp4`, its plan and cover, and the manifest `clips.json`. */
export declare class Folder extends Publisher {
	/** The folder. */
	readonly path: string;
	/** `keepOthers`: whether a run keeps the clips of earlier runs of the same video in the manifest; default false. */
	constructor(path: string, options?: {
		keepOthers?: boolean;
	});
}
/** Publishes into an object store: `s3://bucket/prefix`, `gs://`, `az://`, `file:///folder`. */
export declare class ObjectStorePublisher extends Publisher {
	constructor(options: ObjectStorePublisherOptions);
}
/** Options of an {@link ObjectStorePublisher}. */
export interface ObjectStorePublisherOptions {
	/** The store and the prefix of all keys. */
	url: string;
	/** The key of a clip without extension; default `{id}/{rank}-{slug}`. */
	key?: string;
	/** The `Cache-Control` header of the objects; default none. */
	cacheControl?: string;
	/** How long the link in the receipt is valid, in seconds, at most 604800; default no link. */
	link?: number;
	/** The address of a CDN at which everybody can get what lies below the prefix; default none. */
	publicUrl?: string;
	/** The size of the parts of large files in bytes; default 8 MiB. */
	partSize?: number;
}
/** Posts each clip, and then the manifest, to a server of yours, signed as Standard Webhooks describe. */
export declare class Webhook extends Publisher {
	constructor(options: WebhookOptions);
}
/** Options of a {@link Webhook}. */
export interface WebhookOptions {
	/** The address. */
	url: string;
	/** The secret; default the variable `CLIPKIT_WEBHOOK_SECRET`. */
	secret?: string;
	/** The variable with the secret; its name starts with `CLIPKIT_WEBHOOK_`. */
	secretVariable?: string;
	/** Whether the clip's files are posted; default true. */
	video?: boolean;
	/** Whether the manifest is posted after the last clip; default true. */
	manifest?: boolean;
	/** The longest time for one delivery in seconds; default 600. */
	timeout?: number;
	/** Private addresses and networks that may be connected to; default none. */
	allowPrivate?: string[];
}
/** Uploads to a channel on YouTube. Credentials come from the environment or a file. */
export declare class YouTube extends Publisher {
	constructor(options?: YouTubeOptions);
}
/** Options of a {@link YouTube} publisher. */
export interface YouTubeOptions {
	/** The account's name, by which its credentials are found; default `default`. */
	account?: string;
	/** Where the credentials are; default the environment, else a file. */
	credentials?: {
		kind: "auto";
	} | {
		kind: "environment";
	} | {
		kind: "file";
		folder?: string;
	};
	/** Whether clips are meant as Shorts; default true. */
	shorts?: boolean;
	/** The id of the category; default `22`. */
	category?: string;
	/** Whether subscribers are told; default true. */
	notify?: boolean;
	/** Whether the cover becomes the thumbnail; default true. */
	thumbnail?: boolean;
	/** Whether the captions become a caption track; default true. */
	captions?: boolean;
	/** When clips without a time of their own are published; default at once. */
	schedule?: {
		zone?: string;
		windows?: {
			days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
			start: string;
			minutes?: number;
		}[];
		from?: string;
		spacing?: number;
		perDay?: number;
	};
	/** The size of a chunk in bytes, a multiple of 256 KiB; default 8 MiB. */
	chunkSize?: number;
}
/** Uploads to an account on TikTok. Credentials come from a file: `clipkit login tiktok`. */
export declare class TikTok extends Publisher {
	constructor(options?: TikTokOptions);
}
/** Options of a {@link TikTok} publisher. */
export interface TikTokOptions {
	/** The account's name, by which its credentials are found; default `default`. */
	account?: string;
	/** Where the credentials are; default the environment, else a file. */
	credentials?: {
		kind: "auto";
	} | {
		kind: "environment";
	} | {
		kind: "file";
		folder?: string;
	};
	/** Whether the clip becomes a draft in the app's inbox; default false. */
	inbox?: boolean;
	/** Who can see the posts; default everybody, for private clips only the account itself. */
	privacy?: "everyone" | "followers" | "friends" | "only_me";
	/** Whether others can comment; default true. */
	comments?: boolean;
	/** Whether others can make duets; default true. */
	duets?: boolean;
	/** Whether others can make stitches; default true. */
	stitches?: boolean;
	/** Whether the clip promotes the account's own business; default false. */
	ownBrand?: boolean;
	/** Whether the clip is a paid partnership; default false. */
	paidPartnership?: boolean;
	/** When clips without a time of their own are published; default at once. */
	schedule?: {
		zone?: string;
		windows?: {
			days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
			start: string;
			minutes?: number;
		}[];
		from?: string;
		spacing?: number;
		perDay?: number;
	};
	/** The size of a chunk in bytes, 5 MiB to 64 MB; default 10 MB. */
	chunkSize?: number;
}
/** Uploads Reels to a professional account on Instagram. Credentials come from the environment or a file. */
export declare class Instagram extends Publisher {
	constructor(options?: InstagramOptions);
}
/** Options of an {@link Instagram} publisher. */
export interface InstagramOptions {
	/** The account's name, by which its credentials are found; default `default`. */
	account?: string;
	/** Where the credentials are; default the environment, else a file. */
	credentials?: {
		kind: "auto";
	} | {
		kind: "environment";
	} | {
		kind: "file";
		folder?: string;
	};
	/** Whether the Reel is also shown in the feed; default true. */
	shareToFeed?: boolean;
	/** When clips without a time of their own are published; default at once. */
	schedule?: {
		zone?: string;
		windows?: {
			days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
			start: string;
			minutes?: number;
		}[];
		from?: string;
		spacing?: number;
		perDay?: number;
	};
}
/** Probes a video: streams, duration, a hash of its content. */
export declare function probe(path: string, options?: RunOptions | Context): Promise<documents.Media>;
/** What clipkit can use, whether it is on this machine, and what each lack costs. Keys are not shown. */
export declare function doctor(): Promise<documents.Diagnosis>;
/** Draws source frames of a plan with crop windows and detected faces into a `.png` or `.jpg`. */
export declare function contactSheet(plan: documents.ClipPlan, to: string, options?: RunOptions | Context): Promise<void>;
/**
 * Shows what a plan renders to, in a fraction of the time. The ending of `to` decides: `.mp4` is a draft of the clip whose shorter side has 360
 * pixels, `.png` or `.jpg` a sheet of frames, as they are in the source and as they are drawn.
 */
export declare function preview(plan: documents.ClipPlan, to: string, options?: RunOptions | Context): Promise<void>;
/** Validates a plan. Rejects with a `ClipkitError` with code `invalid_plan` that names the wrong field. */
export declare function checkPlan(plan: documents.ClipPlan): Promise<void>;
/** An operation on a plan: `{ op: "delete_words", words: { quote: "you know" } }`. Names are as in the documents. */
interface EditOp$1 {
	op: string;
	[field: string]: unknown;
}
/**
 * Applies operations to a plan. The plan that is given stays as it is. Some operations need the transcript of the
 * source, or its speech map, which `Pipeline.listen` makes.
 */
export declare function edit(plan: documents.ClipPlan, ops: readonly EditOp$1[], sources?: {
	transcript?: documents.Transcript;
	speech?: documents.SpeechMap;
}): Promise<documents.Edited>;
/** A format of `exportPlan`: captions, or timelines that name the source with in and out points. `xmeml` is for Premiere Pro. */
export type ExportFormat = "srt" | "vtt" | "ass" | "txt" | "json" | "otio" | "fcpxml" | "xmeml" | "edl";
/** Options of `exportPlan`. All but `to` are for timelines. */
export interface ExportOptions {
	/** The file to write. It appears complete or not at all. */
	to?: string;
	/** The timeline's name. Default: the title of the first plan. */
	name?: string;
	/** The time code of the first frame; `01:00:00;00` counts in drop frame. Default: `01:00:00:00`. */
	start?: string;
	/** Whether the source is named relative to the folder of `to`, or to the working folder. Default: false. */
	relative?: boolean;
	/** Whether the captions are in it. Default: true. */
	captions?: boolean;
	/** Whether markers for hooks and scenes are in it. Default: true. */
	markers?: boolean;
}
/**
 * Writes a plan for players and editors. Several plans follow each other in one file. Returns the text, or null where
 * it is written to `to`. What a format cannot say is a warning of the context.
 */
export declare function exportPlan(plans: documents.ClipPlan | readonly documents.ClipPlan[], format: ExportFormat, { to, relative, ...options }?: ExportOptions, run?: RunOptions | Context): Promise<string | null>;
/** A caption style in full: a preset by its name, or a preset with changes (`{ like: "pop", max_words: 2 }`). */
export declare function captionStyle(style: string | (Partial<documents.CaptionStyle> & {
	like?: string;
})): documents.CaptionStyle;
/** The names of the caption presets. */
export declare const captionStyles: readonly string[];
/** Whether an API is configured: a key, or another address than OpenAI's, in `server` or in the environment. */
export declare function isConfigured(server?: Omit<OpenAiServer$1, "apiKey">): boolean;
/** A model that clipkit knows by name. */
export type Model = ModelInfo;
/** Finds models on this machine (in `CLIPKIT_MODELS`, then in the user's cache) and downloads missing ones. */
export declare class ModelStore {
	#private;
	/** `cache`: the folder for downloads. Default: the user's cache. */
	constructor(options?: {
		cache?: string;
	});
	/** All known models; the default face detector first. */
	static readonly models: readonly Model[];
	/** The folder for downloads; null on a machine without a home folder. */
	get cache(): string | null;
	/** The path of a model by its name; null where it is not on this machine. */
	find(id: string): string | null;
	/** The folder of a speech model: `speech` in `CLIPKIT_MODELS` or in the cache; null where there is none. */
	findSpeech(): string | null;
	/** The path of a model by its name or its file's path. A missing model is downloaded. */
	resolve(model: string, options?: RunOptions | Context): Promise<string>;
}

declare namespace documents {
	export { About, Anchor, Animation$1 as Animation, Aspect, AudioStream, Brand, Bumper, BumperFit, Cache$1 as Cache, Candidate, CaptionOffset, CaptionOffsetName, CaptionStyle, CaptionStyleGiven, CaptionTrack, CaptionsOptions, Censor, CensorSound, Censored, Chapter, Check, CheckStatus, ClipId, ClipMeasure, ClipOptions, ClipPlan, Color, Concurrency, ContentId, CredentialsConfig, Crop, CropChange, CropKey, Cue, CuePlace, CueWord, Day, Degrade, Diagnosis, EditChanges, EditOp, EditStep, Edited, Emphasis, ErrorKind, ErrorReport, Event$1 as Event, FaceSample, FaceTrack, Factor, FailedClip, FileSource, FileStamp, FrameOptions, FrameRate, Genre, Half, Hdr, HeatmapBin, Hook, HookStyle, HttpSource, LayerConfig, Layout, LayoutChoice, Limits, LimitsFields, LimitsName, Loudness, Manifest, ManifestClip, Media, MediaRef, ObjectStoreSource, OnnxTrackerOptions, OpenAiServer, OpenAiTranscriberOptions, Orientation, Output, Overlay, OverlayContent, OverlayPlace, OverlayTextStyle, Pane, Piece, PipelineConfig, PlanSource, Planned, Platform, Post, PostFiles, PostTexts, Price, Privacy, PublishStatus, PublishedFiles, PublisherConfig, PunchIn, RankedPlan, RateLimit, Receipt, Recovery, Rect, RenderedClip, RendererConfig, Retry, Rgb, Scene, Schedule, Score, ScoreOptions, ScorerConfig, Scoring, SentenceDistance, SentencePlace, Shot, ShotContent, SlotWindow, Sound, SoundEvent, SourceConfig, Span, Speaking, SpeechMap, Stage, StandIn, SubjectSample, SubjectTrack, SubtitleStream, Target, TightenLevel, TikTokPrivacy, Timeout, Timestamp, Timing, TrackerConfig, Tracking, Tracks, TranscriberConfig, Transcript, Unpublished, Usage, VideoStream, Warning, WarningKind, Word, WordQuote, WordRange, WordSelection, X264Preset, YtDlp, Zoom };
}

export {
	Cache$1 as Cache,
	ClipOptions$1 as ClipOptions,
	Concurrency$1 as Concurrency,
	EditOp$1 as EditOp,
	Event$1 as Event,
	FileSource$1 as FileSource,
	FrameOptions$1 as FrameOptions,
	HttpSource$1 as HttpSource,
	Manifest$1 as Manifest,
	ObjectStoreSource$1 as ObjectStoreSource,
	OnnxTrackerOptions$1 as OnnxTrackerOptions,
	OpenAiServer$1 as OpenAiServer,
	OpenAiTranscriberOptions$1 as OpenAiTranscriberOptions,
	RateLimit$1 as RateLimit,
	Recovery$1 as Recovery,
	Retry$1 as Retry,
	Timeout$1 as Timeout,
	Worker$1 as Worker,
	WorkerOptions$1 as WorkerOptions,
	YtDlp$1 as YtDlp,
	documents,
	frames$1 as frames,
};

export {};
