# make demo                  make clips from a sample talk (drawn and spoken here), with everything that needs
# make demo VIDEO=talk.mp4   the same from a video of yours; its transcript stands beside it (talk.vtt, talk.srt ...) or inside it
# make test                  every check: formatting, lints, tests, documentation
# make bench                 what scoring and analysis cost, rendering beside the ffmpeg command, and how well each tracker frames
# make setup                 install what these need, and nothing that is there

VIDEO ?=
OUT ?= demo
ARGS ?=

.PHONY: demo test bench setup
.SUFFIXES:

demo:
	@.ci/setup
	@.ci/demo "$(VIDEO)" "$(OUT)" $(ARGS)

test:
	@.ci/setup tests
	@.ci/test

bench:
	@.ci/setup
	cargo bench --package clipkit-benches --bench scoring --bench planning
	cargo bench --package clipkit-benches --bench side_by_side
	cargo bench --package clipkit-benches --bench analysis
	cargo bench --package clipkit-benches --bench framing

setup:
	@.ci/setup tests
