// Made by scripts/documents.mjs from clipkit/schema/clipkit.schema.json. Names are as in the documents.

/**
 * Seconds
 */
export type Timestamp = number;
/**
 * A corner, a side or the center of an area.
 */
export type Anchor = "top_left" | "top" | "top_right" | "left" | "center" | "right" | "bottom_left" | "bottom" | "bottom_right";
/**
 * How the word that is spoken is marked.
 */
export type Animation = "none" | "karaoke" | "pop" | "box";
/**
 * The aspect ratio of the output, as width to height.
 */
export type Aspect = "9:16" | "1:1" | "4:5" | "16:9";
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
 * How the picture of a bumper is fitted into an output of another aspect ratio.
 */
export type BumperFit = "contain" | "cover";
/**
 * A file's identity: a hash of its bytes, which a copied or renamed file keeps. For a platform's
 * video it is the platform's name and the video's id (`youtube:dQw4w9WgXcQ`), so that it stays
 * when the video is fetched again in another format.
 */
export type ContentId = string;
/**
 * What an overlay draws.
 */
export type OverlayContent =
  | {
      /**
       * The path of a PNG, WebP or JPEG file on the machine that renders. A relative path starts
       * at the working folder. Of an animation, the first frame is shown.
       */
      file: string;
      kind: "image";
    }
  | {
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
    }
  | {
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
    }
  | {
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
/**
 * Seconds, or "auto": found by the voice.
 */
export type CaptionOffset = Timestamp | CaptionOffsetName;
export type CaptionOffsetName = "auto";
/**
 * The vertical position of a cue: a fraction of the output's height, from its top. The renderer
 * keeps the cue inside the platform's safe area.
 */
export type CuePlace =
  | {
      bottom: number;
    }
  | {
      middle: number;
    };
/**
 * What is heard instead of a censored word.
 */
export type CensorSound = "beep" | "mute";
/**
 * Whether a thing is there.
 */
export type CheckStatus = "present" | "old" | "missing";
/**
 * A clip's identity: a hash of the source's id and of the parts of the plan that determine the
 * clip's picture and sound. `ClipPlan.id` computes it.
 *
 * Title, reason, score and rank are not part of the hash, so a renamed clip keeps its id. A
 * changed caption or crop gives another id.
 */
export type ClipId = string;
/**
 * Which stages have a fallback.
 */
export type StandIn = "built_in" | "always" | "never";
/**
 * The kind of video, which sets the weights of the score components.
 *
 * | genre | hook | completeness | density | emotion | best length |
 * |---|---|---|---|---|---|
 * | none given | 30 | 34 | 20 | 16 | 32 s |
 * | `podcast` | 32 | 30 | 14 | 24 | 38 s |
 * | `lecture` | 24 | 42 | 26 | 8 | 45 s |
 * | `gaming` | 28 | 20 | 10 | 42 | 24 s |
 * | `news` | 34 | 36 | 26 | 4 | 28 s |
 *
 * The weights are percentages of `Score.total`. They were set by
 * hand, not learned. For English without a genre or with `podcast`, a learned criterion takes
 * their place: `Score.moment`. It was learned from conversations,
 * so the other genres keep the weights.
 */
export type Genre = "podcast" | "lecture" | "gaming" | "news";
/**
 * The layout of a clip that the user asks for.
 */
export type LayoutChoice = "auto" | "fill" | "split" | "fit" | "pip";
/**
 * The platform that clips are made for. It determines the safe area, which the platform's
 * interface does not cover.
 */
export type Platform = "shorts" | "tiktok" | "reels" | "generic";
/**
 * x264's speed presets, the fastest first.
 */
export type X264Preset = "ultrafast" | "superfast" | "veryfast" | "faster" | "fast" | "medium" | "slow" | "slower" | "veryslow";
/**
 * Where punch-ins are planned.
 */
export type PunchIn = "emphasis" | "joins" | "both";
/**
 * How much `EditOp.Tighten` removes.
 */
export type TightenLevel = "gentle" | "normal" | "tight";
/**
 * The arrangement of crop windows in the output.
 */
export type Layout =
  | {
      /**
       * The crop window.
       */
      crop: Crop;
      kind: "fill";
    }
  | {
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
    }
  | {
      kind: "fit";
      /**
       * The crop window and its position in the output.
       */
      pane: Pane;
    }
  | {
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
/**
 * A half of a split layout.
 */
export type Half = "top" | "bottom";
/**
 * The kind of picture that a shot shows.
 */
export type ShotContent = "camera" | "screen";
/**
 * The two transfer functions for high dynamic range video (ITU-R BT.2100).
 */
export type Hdr = "pq" | "hlg";
/**
 * Where the tokens of an account are.
 */
export type CredentialsConfig =
  | {
      kind: "auto";
    }
  | {
      kind: "environment";
    }
  | {
      /**
       * The folder. Default: `CLIPKIT_CREDENTIALS`, else `clipkit/credentials` in the user's
       * folder for settings.
       */
      folder?: string | null;
      kind: "file";
    }
  | {
      kind: "keyring";
    };
/**
 * A correction of a crop window.
 */
export type CropChange =
  | {
      kind: "move";
      /**
       * The distance to the right, as a fraction of the picture's width.
       */
      x?: number;
      /**
       * The distance downwards, as a fraction of the picture's height.
       */
      y?: number;
    }
  | {
      /**
       * The number of the face track.
       */
      face: number;
      kind: "follow";
    }
  | {
      /**
       * The time of the position on the clip's timeline. Default: the scene's start.
       */
      at?: Timestamp | null;
      kind: "hold";
    };
/**
 * A day of the week.
 */
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";
/**
 * A change of a clip plan. In JSON, `op` names it: `{"op": "delete_words", "words": {"quote": "you
 * know"}}`.
 *
 * Words are those of the clip as it is when the operation starts: of the captions, or of the
 * transcript for a plan without captions.
 */
export type EditOp =
  | {
      op: "delete_words";
      /**
       * The words to remove.
       */
      words: WordSelection;
    }
  | {
      op: "keep_words";
      /**
       * The words to keep.
       */
      words: WordSelection;
    }
  | {
      op: "move_start";
      /**
       * The sentence.
       */
      to: SentencePlace;
    }
  | {
      op: "move_end";
      /**
       * The sentence.
       */
      to: SentencePlace;
    }
  | {
      op: "order_pieces";
      /**
       * The numbers of the pieces, from 0, in their new order: each piece once.
       */
      order: number[];
    }
  | {
      op: "hook_first";
      /**
       * Whether they also stay at their old place. Default `false`.
       */
      repeat?: boolean;
      /**
       * The words to start with.
       */
      words: WordSelection;
    }
  | {
      /**
       * How much to remove.
       */
      level: TightenLevel;
      op: "tighten";
    }
  | {
      op: "title";
      /**
       * The title.
       */
      title: string;
    }
  | {
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
    }
  | {
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
    }
  | {
      op: "caption_style";
      /**
       * A preset's name, `"none"` for no captions, or a style as
       * `CaptionStyle.from_json` reads it.
       */
      style?: CaptionStyleGiven | null;
    }
  | {
      op: "censor";
      /**
       * What is heard instead. Default `beep`.
       */
      with?: CensorSound;
      /**
       * The words, as in `Censor`.
       */
      words: string[];
    }
  | {
      op: "add_sound";
      /**
       * The sound.
       */
      sound: Sound;
    }
  | {
      op: "remove_sound";
      /**
       * The number of the sound in the plan, from 0.
       */
      sound: number;
    }
  | {
      /**
       * The layout.
       */
      layout: LayoutChoice;
      op: "layout";
      /**
       * The number of the scene, from 0.
       */
      scene: number;
    }
  | {
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
    }
  | {
      /**
       * The description. `null`, the default, leaves it.
       */
      description?: string | null;
      op: "post";
      /**
       * The tags, without `#`. `null`, the default, leaves them.
       */
      tags?: string[] | null;
    }
  | {
      /**
       * The aspect ratio. It sets the output's size.
       */
      aspect: Aspect;
      op: "aspect";
    }
  | {
      /**
       * The language of that transcript, as an ISO 639 code.
       */
      language: string;
      op: "language";
    }
  | {
      /**
       * Where. `null`, the default, removes all.
       */
      at?: PunchIn | null;
      op: "punch_in";
    }
  | {
      op: "add_zoom";
      /**
       * The punch-in. It may not overlap another.
       */
      zoom: Zoom;
    }
  | {
      op: "remove_zoom";
      /**
       * The number of the punch-in in the plan, from 0.
       */
      zoom: number;
    }
  | {
      op: "add_overlay";
      /**
       * The overlay.
       */
      overlay: Overlay;
    }
  | {
      /**
       * The brand.
       */
      brand: Brand;
      op: "brand";
    }
  | {
      op: "remove_overlay";
      /**
       * The number of the overlay, from 0.
       */
      overlay: number;
    }
  | {
      /**
       * The intro. `null`, the default, removes it.
       */
      bumper?: Bumper | null;
      op: "intro";
    }
  | {
      /**
       * The outro. `null`, the default, removes it.
       */
      bumper?: Bumper | null;
      op: "outro";
    };
/**
 * Words of the clip, by their numbers or by a quote.
 */
export type WordSelection = WordRange | WordQuote;
/**
 * A sentence of the transcript, by its distance or by a quote.
 */
export type SentencePlace = SentenceDistance | WordQuote;
/**
 * The class of an `Error`, for a program to branch on.
 */
export type ErrorKind =
  | "not_found"
  | "invalid_input"
  | "too_large"
  | "no_transcript"
  | "nothing_found"
  | "invalid_plan"
  | "config"
  | "cancelled"
  | "io"
  | "decode"
  | "encode"
  | "captions"
  | "overlay"
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
 * An event of a run, for progress bars and logs.
 */
export type Event =
  | {
      /**
       * The clip's rank, from 1. `None` means the whole run.
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
    }
  | {
      /**
       * The clip's rank, from 1. `None` means the whole run.
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
       * The number of clips that will be made.
       */
      clips: number;
      event: "planned";
    }
  | {
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
    }
  | (Warning & {
      event: "warning";
    })
  | (ManifestClip & {
      event: "clip";
    });
/**
 * The kind of a `Warning`.
 */
export type WarningKind =
  | "stand_in"
  | "input_lost"
  | "repaired"
  | "source_changed"
  | "layout"
  | "captions"
  | "hook"
  | "overlay"
  | "tighten"
  | "track"
  | "font"
  | "rendering"
  | "unavailable"
  | "budget"
  | "store"
  | "publish"
  | "export"
  | "other";
/**
 * The status of a publication.
 */
export type PublishStatus = "published" | "processing" | "scheduled" | "draft";
/**
 * A layer by name, as it is written in JSON: `{"retry": {"attempts": 5}}`, `{"cache": {}}`. Plain
 * data.
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
 * Limits as a document has them.
 */
export type Limits = LimitsName | LimitsFields;
/**
 * Limits with a name.
 */
export type LimitsName = "default" | "strict";
/**
 * The kinds of publishers.
 */
export type PublisherConfig =
  | {
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
    }
  | {
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
    }
  | {
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
    }
  | {
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
    }
  | {
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
    }
  | {
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
/**
 * Who can see a post on TikTok.
 */
export type TikTokPrivacy = "everyone" | "followers" | "friends" | "only_me";
/**
 * The kinds of renderers.
 */
export type RendererConfig = {
  kind: "ffmpeg";
  /**
   * Columns and rows of the clips in pixels. Plans are made for this size. Default: `None`,
   * which leaves the size to the pipeline's aspect. Rendering always uses the size in the plan.
   *
   * @minItems 2
   * @maxItems 2
   */
  size?: [unknown, unknown] | null;
  /**
   * Threads for decoding and for encoding one clip. Default: 0, which divides the machine's
   * cores among the clips rendered concurrently.
   */
  threads?: number;
};
/**
 * The kinds of scorers.
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
/**
 * The kinds of sources.
 */
export type SourceConfig =
  | {
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
    }
  | {
      kind: "file";
      /**
       * Whether the file is copied into the media store
       * (`Context.media_store`), so that later steps find it after
       * the original is removed. Default: `false`, which reads the file in place.
       */
      store?: boolean;
    }
  | {
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
    }
  | {
      kind: "object_store";
    }
  | {
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
/**
 * The kinds of trackers.
 */
export type TrackerConfig =
  | {
      kind: "auto";
      /**
       * A model's name, or the path of its file. `None` is the default face detector.
       */
      model?: string | null;
      /**
       * The tracker's options.
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
       * The tracker's options.
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
 * The kinds of transcribers.
 */
export type TranscriberConfig =
  | {
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
    }
  | {
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
    }
  | {
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
    }
  | {
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
/**
 * Who can see a published clip.
 */
export type Privacy = "public" | "unlisted" | "private";

/**
 * What a platform or a file says about a video: title, chapters, language. The texts are
 * untrusted.
 */
export interface About {
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
/**
 * A chapter of a video.
 */
export interface Chapter {
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
/**
 * A part of a video and how often viewers replay it.
 */
export interface HeatmapBin {
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
/**
 * An audio stream.
 */
export interface AudioStream {
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
/**
 * The look that clips share: fonts, colors, a caption style, overlays such as a logo, a name card,
 * handles and a progress bar, music, an intro and an outro.
 *
 * A missing field changes nothing. Fonts and colors go to captions, to the title and to those
 * texts of the brand whose style has the default ones.
 */
export interface Brand {
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
/**
 * A file that plays before or after the clip: an intro or an outro, a video or an image.
 *
 * It becomes part of the same file as the clip, in one encode: it gets the clip's size, frame
 * rate, sample rate and channels, and lasts a whole number of the clip's frames. Its sound is
 * kept. If it has none, it is silent. It is brought to the plan's loudness on its own, as the clip
 * is, then changed by `gain`; without a loudness in the plan, it has its own level. Captions,
 * overlays, music and punch-ins of the plan do not reach into it.
 */
export interface Bumper {
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
/**
 * Something that is drawn over the picture: an image, an emoji, a text or a progress bar.
 *
 * Overlays are drawn in the order of the list, the last in front. Images, emoji and progress bars
 * are behind captions and title, texts are in front of them. A caption that a text would cover
 * stands above or below it.
 */
export interface Overlay {
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
/**
 * The appearance of a text overlay. In JSON, a missing field has its value in
 * `OverlayTextStyle.default`.
 */
export interface OverlayTextStyle {
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
/**
 * Where an overlay is drawn, and its size. The overlay is moved and made smaller until it is
 * inside its area.
 */
export interface OverlayPlace {
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
/**
 * Music or an effect that plays with the clip's own sound.
 *
 * The renderer mixes it with the sound of the source before the loudness is set, so gains are
 * relative to the source's sound, and the mix has the plan's loudness and its limit of peaks.
 */
export interface Sound {
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
/**
 * Does the same work once: answers are kept in an `ArtifactStore`, and found again by what they
 * were made from.
 *
 * - The [key](ArtifactKey) is a hash of the kind and version of the answer, the content of the
 *   video (never its name), the rest of the input (span, transcript, options) and the stage's
 *   fingerprint (`Transcriber.fingerprint` and its kin,
 *   or `about`). Nothing of it is written in the clear.
 * - An answer is kept for 7 days. An old or damaged one counts as absent. A store that cannot be
 *   used leaves a warning, and the work is done.
 * - Callers of the same work at the same time share one computation, if they use clones of one
 *   layer, or layers with the same `store` in one process (ten jobs, each with a pipeline of its
 *   own from one document). If one of them is cancelled, the others are not. The work stops when
 *   nobody waits for it any more.
 * - Failures are not kept, and neither are answers of the second stage of a
 *   `Fallback`. Warnings are kept with the answer and repeated each
 *   time.
 *
 * This is configuration. `stage.layer(Cache::at("artifacts"))` builds the layer for that stage. To
 * share a store that you set up, use `over`:
 *
 * Transcribers, scorers and trackers can be cached. Sources, renderers and publishers answer with
 * files or change the world: a cache around one of them does not compile, and is refused in JSON.
 *
 * Put this layer outside all others: a cached answer needs no place, no rate and no second
 * attempt. In JSON, `{"cache": {"store": "s3://bucket/clipkit", "keep": 604800}}`; without a
 * `store`, the user's cache folder.
 */
export interface Cache {
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
/**
 * Something that counted for or against a span.
 */
export interface Factor {
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
  animation: Animation;
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
/**
 * The emphasis of keywords.
 */
export interface Emphasis {
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
/**
 * Captions that are burned into the picture.
 */
export interface CaptionTrack {
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
/**
 * Words that are shown together.
 */
export interface Cue {
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
/**
 * A word of a cue.
 */
export interface CueWord {
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
/**
 * Reads the transcript from existing captions: a file beside the video, or subtitles inside it.
 *
 * For `talk.mp4` it tries, in this order: `talk.transcript.json`, `talk.words.json`,
 * `talk.word_timings.json`, `talk.json3`, `talk.vtt`, `talk.srt`, `talk.ass`, `talk.ssa`, other
 * endings, `talk.json`; the same names after `talk.mp4`, or with a language, as yt-dlp and others
 * write them (`talk.en.vtt`, `talk.en-dQw4w9WgXcQ.vtt`, `talk.English.srt`): `en-orig` first, then
 * the preferred language, then that of the audio, files made by people before automatic ones; then
 * the text subtitles inside the video: in the preferred language, else the stream that the file
 * marks as default, else in the language of the audio. Streams with signs and foreign speech only
 * (forced ones) and with pictures of text are skipped. A file or stream that cannot be read is
 * skipped with a warning. If there are other captions, a warning says which were taken.
 *
 * A file's content decides its format, not its name. Word times in WebVTT, ASS, json3 and JSON are
 * kept. If only cues have times, a cue's time is divided among its words by length. Repeated lines
 * of roll-up captions, such as YouTube's automatic ones, are removed. Descriptions of sounds
 * (`[Music]`) become `Transcript.events`, names of speakers become `Word.speaker`. What of a
 * file cannot be used is a warning with the number of words, the first line and the reason.
 *
 * `Word.speaker`: crate::model::Word::speaker
 */
export interface CaptionsOptions {
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
/**
 * Words that are not to be heard or read.
 *
 * An entry is a word or several words that follow each other. Case, punctuation and Unicode forms
 * (NFKC) do not count. An entry means whole words: `ass` is not found in `class`, but in
 * `half-ass` and `ass's`, whose parts are words. An entry that ends with `*` means all words that
 * start so: `damn*` also finds `damned`.
 */
export interface Censor {
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
/**
 * A stretch of the clip whose own sound is not heard, because a censored word is said there.
 * Other sounds of the plan go on.
 */
export interface Censored {
  /**
   * The stretch on the clip's timeline.
   */
  span: Span;
  /**
   * What is heard instead.
   */
  with: CensorSound;
}
/**
 * One thing that clipkit can use.
 */
export interface Check {
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
/**
 * The measures of a clip.
 */
export interface ClipMeasure {
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
/**
 * Which clips a `Pipeline` makes, and how many.
 */
export interface ClipOptions {
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
/**
 * The appearance of a `Hook`. In JSON, a missing field has its value in
 * `HookStyle.default`.
 */
export interface HookStyle {
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
/**
 * The loudness of a clip, as ITU-R BS.1770 and EBU R 128 define it.
 *
 * The renderer applies one constant gain to the whole clip and limits only the peaks that would
 * exceed the true peak. The gain is at most 20 dB. A clip below -50 LUFS counts as silent and is
 * not changed.
 */
export interface Loudness {
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
/**
 * A face in one frame.
 */
export interface FaceSample {
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
/**
 * A title over the clip's first seconds that states the clip's subject.
 */
export interface Hook {
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
/**
 * The parameters of the file to make: H.264 video and AAC audio in an MP4 container. They are
 * sufficient to repeat the encode.
 */
export interface Output {
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
/**
 * A frame rate as a fraction: `num / den` frames per second.
 */
export interface FrameRate {
  /**
   * The number of seconds for `num` frames.
   */
  den: number;
  /**
   * The number of frames in `den` seconds.
   */
  num: number;
}
/**
 * A stretch of the source that a clip plays.
 */
export interface Piece {
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
/**
 * What a clip's posts say besides the title.
 */
export interface PostTexts {
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
/**
 * A span of the clip with one layout.
 */
export interface Scene {
  /**
   * The scene's layout.
   */
  layout: Layout;
  /**
   * The scene's span on the clip's timeline.
   */
  span: Span;
}
/**
 * A window on the source with a fixed size and a position that can move.
 */
export interface Crop {
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
/**
 * A keyframe of a crop path.
 */
export interface CropKey {
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
/**
 * The half of a split layout that is marked as the speaker's from a time on.
 */
export interface Speaking {
  /**
   * The time from which the mark applies, on the clip's timeline.
   */
  from: Timestamp;
  /**
   * The half to mark. `None` means that nobody speaks or that the speaker is in neither half.
   */
  half?: Half | null;
}
/**
 * A crop window and its position in the output.
 */
export interface Pane {
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
/**
 * The source file of a plan.
 */
export interface PlanSource {
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
/**
 * A file's size and modification time.
 */
export interface FileStamp {
  /**
   * The modification time in microseconds since 1970-01-01 UTC.
   */
  modified: number;
  /**
   * The size in bytes.
   */
  size: number;
}
/**
 * The positions of a subject other than a face through one shot.
 */
export interface SubjectTrack {
  /**
   * The positions in order of time, at least one.
   */
  samples: SubjectSample[];
}
/**
 * The position of a subject in one frame.
 */
export interface SubjectSample {
  /**
   * The frame's time: on the source's timeline in `Tracks`, on the clip's timeline in a plan.
   */
  at: Timestamp;
  /**
   * The subject's bounding box in the displayed picture.
   */
  rect: Rect;
}
/**
 * A punch-in: for a while, the crop window is smaller, so what it shows is larger.
 *
 * It concerns scenes whose layout is `fill`. In other layouts the picture stays as it is.
 */
export interface Zoom {
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
/**
 * The color space of a video stream in FFmpeg's names (`bt709`, `smpte2084`). A value is `unknown`
 * if the file does not state it.
 */
export interface Color {
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
/**
 * Limits how many calls run at a time; further calls wait in order of arrival. Default 1.
 *
 * This is configuration. `stage.layer(Concurrency::of(2))` builds the places for that stage, and
 * all runs that share the stage share them. Stages that use one scarce resource (a model that
 * needs all of the memory, an account that takes two requests at once) share one built layer:
 *
 * `ClipOptions.at_once` limits how many clips one run works on.
 *
 * Put this layer inside `Retry`: no place is held while a retry waits. In
 * JSON, `{"concurrency": {"at_once": 2}}`.
 */
export interface Concurrency {
  at_once?: number;
}
/**
 * What of the things that clipkit can use is on this machine, and what each lack costs. Keys are
 * not part of it.
 */
export interface Diagnosis {
  /**
   * The things, in the order of a run.
   */
  checks: Check[];
  /**
   * clipkit's version.
   */
  version: string;
}
/**
 * What operations changed: the measures of a clip before and after them.
 */
export interface EditChanges {
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
/**
 * One operation and the clip after it.
 */
export interface EditStep {
  /**
   * The clip after it.
   */
  after: ClipMeasure;
  /**
   * The operation's name: `EditOp.name`.
   */
  op: string;
}
/**
 * The words from a number up to but not including another.
 */
export interface WordRange {
  /**
   * The number of the first word, from 0.
   */
  from: number;
  /**
   * The number after that of the last word.
   */
  to: number;
}
/**
 * Words that say something.
 */
export interface WordQuote {
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
/**
 * A distance in sentences.
 */
export interface SentenceDistance {
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
export interface Recovery {
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
/**
 * One clip of a `Manifest`.
 */
export interface ManifestClip {
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
/**
 * The names of a clip's files at a target: paths relative to the target's folder, or object keys.
 */
export interface PublishedFiles {
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
/**
 * A target that a clip could not be published to.
 */
export interface Unpublished {
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
/**
 * A source of local files, which are given by their paths.
 *
 * The file is read completely: its BLAKE3 hash is its identity, and its packet timestamps give its
 * exact duration and frame rate.
 */
export interface FileSource {
  /**
   * Whether the file is copied into the media store
   * (`Context.media_store`), so that later steps find it after
   * the original is removed. Default: `false`, which reads the file in place.
   */
  store?: boolean;
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
 * A source of media files on HTTP servers, given by their URLs.
 *
 * - The file is downloaded into the media store
 *   (`Context.media_store`). A download that breaks off continues
 *   with a range request, in the same run or a later one, if the server says by `ETag` or
 *   `Last-Modified` that the file is still the same. A file that the store has is downloaded again
 *   only if the server says that it has changed.
 * - The query of a URL can hold a signature. So it is written neither to logs, errors and
 *   `Media.uri` nor to names in the store, and no `Referer` is sent.
 *   A document that names such a file cannot fetch it again from the server.
 * - Addresses in private, local and reserved ranges are refused, also after a redirect and after a
 *   name is resolved: a connection is made only to the addresses that were checked. Where a proxy
 *   is set (`Environment`), the proxy resolves names and must refuse such
 *   addresses itself; addresses that are written in URLs are checked all the same.
 */
export interface HttpSource {
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
/**
 * Calls again what failed, if the error's `Recovery` says that this may help. Each wait is
 * reported (`Event.Waiting`).
 *
 * The wait grows from attempt to attempt, plus up to half of it at random, so that many callers do
 * not come back at the same moment. If the other side says how long to wait (`Retry-After`), the
 * wait is that long. With the defaults, three attempts wait 15 to 22 s in total. Wrong settings,
 * unusable input and cancelled work are never retried.
 *
 * Attempts do not multiply: a retry counts the attempts that a retry further inside has made, so
 * of two around the same work the one with more attempts decides. Stages that ask a server have a
 * retry around each request (`OpenAiServer.layers`), which
 * repeats only the request that failed. A retry around such a stage is for a fallback, or for a
 * server that is down for longer.
 *
 * Put this layer outside `RateLimit` and
 * `Timeout`, so that they apply to each attempt: see
 * `StageExt`. In JSON, `{"retry": {"attempts": 3, "first": 5, "factor":
 * 2, "longest": 600}}`.
 */
export interface Retry {
  attempts?: number;
  factor?: number;
  first?: number;
  longest?: number;
}
/**
 * Limits how many calls begin in any minute, and in any day. Callers wait in order of arrival, and
 * waits are reported (`Event.Waiting`). When the calls of a day are used up, the
 * call fails with the time at which the next one is possible (`Recovery.WaitUntil`).
 *
 * The windows slide: the last 60 s and the last 24 h count, not the clock's minutes and days. That
 * never exceeds what a server allows, and sometimes stays below it. Calls of this process count,
 * since the layer was built.
 *
 * This is configuration. `stage.layer(RateLimit::per_minute(5))` builds a rate for that stage
 * alone. Stages that share an account share one built layer:
 *
 * Processes that share an account share a `Limiter` of their own: `LimitLayer.over`.
 *
 * Put this layer inside `Retry`, so that each attempt counts. In JSON,
 * `{"rate_limit": {"per_minute": 5, "per_day": 100}}`; `{"rate_limit": {}}` is the default, 5 a
 * minute, and `"per_minute": null` limits days alone.
 */
export interface RateLimit {
  per_day?: number | null;
  per_minute?: number | null;
}
/**
 * Limits how long a call may take. A call that takes longer is cancelled, and its error
 * (`ErrorKind.TimedOut`) may be retried. Default 10 minutes.
 *
 * The work is asked to stop through its context, as when a caller cancels, and has a moment to
 * clean up; then it is abandoned. An answer that arrives in that moment is used.
 *
 * Put this layer next to the stage, inside `Retry` and
 * `RateLimit`: further outside, their waits count as well. The limit is
 * for a whole call, for a long video too, so be generous. In JSON, `{"timeout": {"seconds":
 * 600}}`.
 */
export interface Timeout {
  seconds?: number;
}
/**
 * Changes to limits with a name.
 */
export interface LimitsFields {
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
/**
 * The result of a run: the content of `clips.json`.
 */
export interface Manifest {
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
/**
 * The time that the stages of a run took, in seconds. A stage's time is the sum over its calls.
 * Calls run concurrently, so the sum can exceed the total.
 */
export interface Timing {
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
/**
 * A subtitle stream.
 */
export interface SubtitleStream {
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
/**
 * A video stream.
 */
export interface VideoStream {
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
/**
 * How a stored picture is oriented for display. If `mirrored`, it is first mirrored left to right.
 * Then it is rotated clockwise.
 */
export interface Orientation {
  /**
   * The clockwise rotation in degrees: 0, 90, 180 or 270.
   */
  clockwise: number;
  /**
   * Whether the picture is mirrored left to right before the rotation.
   */
  mirrored: boolean;
}
/**
 * A source of media in object stores: `s3://bucket/key` (Amazon S3 and compatible services),
 * `gs://bucket/key` (Google Cloud Storage), `az://container/key` (Azure Blob Storage), and
 * `file:///path`.
 *
 * The object is downloaded into the media store
 * (`Context.media_store`). A download that breaks off continues,
 * in the same run or a later one, if the object is still the same. Credentials and endpoints are
 * the variables `AWS_*`, `GOOGLE_*` and `AZURE_*` of the `Environment`. Each
 * kind of store is a Cargo feature: `s3`, `gcs`, `azure`.
 */
export interface ObjectStoreSource {}
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
/**
 * A server that speaks OpenAI's API: OpenAI itself, Groq, speaches, Ollama, vLLM, LM Studio and
 * others.
 *
 * Fields that are not set come from the `Environment` of the context that a stage runs under:
 * `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. The key is written neither to JSON nor to
 * logs, errors or manifests.
 *
 * A long video takes many requests, and servers limit the number of requests. So limits and
 * retries are layers around each request and not around the stage: if one of twenty uploads fails,
 * only that one is sent again, and a rate limit counts every upload.
 */
export interface OpenAiServer {
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
/**
 * Transcribes with a Whisper-style API: OpenAI's, or any server that speaks it.
 *
 * The audio is extracted as mono M4A (about 6 kB a second) and split at pauses into chunks of
 * about ten minutes that overlap by a few seconds. Chunks are uploaded concurrently, and their
 * words are merged. Chunks without speech are not uploaded.
 *
 * `whisper-1` and compatible models return word timestamps. If a model returns segment timestamps
 * only, each segment's time is divided among its words by length. If it returns no timestamps
 * (`gpt-4o-transcribe` and its variants), chunks of about 15 seconds are uploaded and their words
 * are aligned to the detected speech. Both cases leave a warning.
 *
 * A server that cannot read M4A gets the same audio as WAV (32 kB a second), for example
 * whisper.cpp's without `--convert`. An upload that is too large for a server becomes two.
 * Responses are read in many forms: plain text, a JSON string, captions, a stream, `segments` or
 * `chunks`, one level inside of another object, with `NaN` or null in them. Words without any time
 * count as text. An error with the status 200 is an error.
 *
 * Each request runs inside the server's layers (`OpenAiServer.layers`), so one that fails is
 * sent again alone.
 */
export interface OpenAiTranscriberOptions {
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
  speech_cache?: Cache | null;
  /**
   * The tracker. Default: `auto`.
   */
  tracker?: TrackerConfig;
  /**
   * The transcriber. Default: `auto`.
   */
  transcriber?: TranscriberConfig;
}
/**
 * Gives each clip a time of its own.
 *
 * The slots are the starts of the windows, and further times inside them at the distance of
 * `spacing`. A clip gets the first slot that is not in the past, that no
 * other clip of the account has or lies too near to, on a day that has room. A clip keeps its slot
 * when it is published again. Slots are kept in the artifact store (`CLIPKIT_CACHE`), so two
 * processes, also on two machines that share a store, do not give the same.
 *
 * Windows are in a time zone, by its clocks: 17:00 stays 17:00 when they change. A time that the
 * clocks skip is moved forward by as much as they are.
 */
export interface Schedule {
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
/**
 * A time of some days of the week in which clips are published.
 */
export interface SlotWindow {
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
/**
 * The price of a language model, in US dollars for a million tokens.
 */
export interface Price {
  /**
   * For prompt tokens.
   */
  input: number;
  /**
   * For completion tokens, reasoning tokens included.
   */
  output: number;
}
/**
 * A source of videos on the platforms that yt-dlp knows: YouTube, Vimeo, Twitch, podcasts and many
 * more, given by their URLs. It runs the program `yt-dlp`, which must be on this machine.
 *
 * - Metadata come first: `Media.about`. Then the platform's
 *   captions in the spoken language, which lie beside the media in the media store, where
 *   `Captions` finds them. Then the media, in a format for
 *   `height`, into the media store
 *   (`Context.media_store`). A download that breaks off continues.
 * - The media's identity is the platform's name and the video's id. A video that the store has is
 *   not downloaded again. A page on no platform has the hash of its media as the identity.
 * - The program gets no key of the environment. Its output is read as untrusted, the URL cannot be
 *   read as an option, and what it started ends with it.
 * - Private addresses in the URL are refused, also where its name leads to one. Later connections
 *   and redirects are those of yt-dlp: a service that takes URLs from strangers must also keep the
 *   program out of its private network.
 *
 * Streaming formats and sections are fetched with the program `ffmpeg`, which also merges picture
 * and sound. Without it, a format with both is taken.
 */
export interface YtDlp {
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
/**
 * The files of a `Post` on this machine.
 */
export interface PostFiles {
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
/**
 * A sound that a transcript describes: music, laughter, applause.
 */
export interface SoundEvent {
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
