# make demo                  make clips from a sample talk (drawn and spoken here), with everything that needs
# make demo VIDEO=talk.mp4   the same from a video of yours; its transcript stands beside it (talk.vtt, talk.srt ...) or inside it
# make demo-python           the README's quick start for Python, as it is written there, on the sample talk
# make demo-node             the README's quick start for Node, as it is written there, on the sample talk
# make test                  every check: formatting, lints, tests, documentation
# make bench                 what scoring and analysis cost, rendering beside the ffmpeg command, and how well each tracker frames, on the
#                            sample talk; CLIPKIT_BENCH_VIDEO names another video
# make soak                  on both queues 20 jobs whose workers are killed 50 times at random moments; then a worker that works for 30 minutes
#                            takes no more memory, handles and scratch space at the end than at the start
# make fuzz                  fuzz what reads hostile input, an hour each target; FUZZ_SECS=60 for less, FUZZ="srt plan" for some
# make miri                  the unsafe code of the resampler on small inputs, in an interpreter that finds undefined behaviour
# make service               the service with its dashboard at http://127.0.0.1:8080, and a job with the sample talk
# make setup                 install what these need, and nothing that is there

VIDEO ?=
OUT ?= demo
ARGS ?=
FUZZ ?=

.PHONY: demo demo-python demo-node test bench soak service fuzz miri setup
.SUFFIXES:

demo:
	@.ci/setup
	@.ci/demo "$(VIDEO)" "$(OUT)" $(ARGS)

demo-python:
	@.ci/setup
	@.ci/python setup
	@.ci/python demo "$(OUT)"

demo-node:
	@.ci/setup
	@.ci/node setup
	@.ci/node demo "$(OUT)"

test:
	@.ci/setup tests
	@.ci/test

bench:
	@.ci/setup
	@.ci/node setup
	@.ci/bench

soak:
	@.ci/setup tests
	@. .ci/env && CLIPKIT_SOAK=1 cargo nextest run --profile soak --workspace --all-features --no-capture -E 'test(/jobs_survive/) | test(/works_for_long/)'

fuzz:
	@.ci/fuzz $(FUZZ)

miri:
	@.ci/miri

service:
	@.ci/setup
	@.ci/service $(ARGS)

setup:
	@.ci/setup tests
