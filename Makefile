# The two commands that matter; everything else is `cargo xtask --help`.
.PHONY: dev test ci
dev:
	cargo xtask dev
test:
	cargo xtask test
ci:
	cargo xtask ci
