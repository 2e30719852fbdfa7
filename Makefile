# What a developer and the CI run. `make test` on a fresh Debian machine needs rustup, make and a C compiler; it
# installs everything else it needs below .cache.

CARGO ?= cargo
VENV := .cache/venv
TOOLS ?= .cache/tools
PYTHON := $(VENV)/bin/python
# The linters never phone home, and never look for an account.
LINT_ENV := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true

.PHONY: test check bench bench-gate weaken fuzz coverage mutants reproducible venv rust-check rust-test test-release soak build \
	infra deny bless package clean

# Everything the CI runs, in the order that fails soonest.
test: venv rust-check rust-test infra build deny

# What to run before a commit: no emulator, no linters of templates.
check: rust-check
	$(CARGO) test --workspace --locked --lib --bins

rust-check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

rust-test: venv
	$(CARGO) test --workspace --locked

# The tests of the function once more, with the build that is deployed. Takes minutes to build.
test-release: venv
	$(CARGO) build --release --locked -p rolewatch-lambda
	ROLEWATCH_TEST_BOOTSTRAP=$(abspath $(or $(CARGO_TARGET_DIR),target))/release/bootstrap \
		$(CARGO) test --locked -p rolewatch-lambda --test it

# 5,000 deliveries of recorded noise with 100 changes in them, on the build that is deployed, while SNS fails now and
# then. `make test` does 300 of them.
soak: venv
	$(CARGO) build --release --locked -p rolewatch-lambda
	ROLEWATCH_TEST_SOAK=5000 ROLEWATCH_TEST_BOOTSTRAP=$(abspath $(or $(CARGO_TARGET_DIR),target))/release/bootstrap \
		$(CARGO) test --locked -p rolewatch-lambda --test it -- --nocapture changes_in_much_noise

# The command, as users build it. The Lambda is tested as a debug binary: its release build takes minutes.
build:
	$(CARGO) build --release --locked -p rolewatch

infra: venv
	$(VENV)/bin/cfn-lint infra/template.yaml
	$(LINT_ENV) $(VENV)/bin/sam validate --lint --template infra/template.yaml
	$(PYTHON) -m unittest discover -s infra/tests

# Ratios on the made-up and the recorded log, or on your own: make bench LOGS=folder
bench:
	$(CARGO) run --profile bench --locked -p rolewatch-bench -- $(LOGS)

# The budgets in instructions. Needs valgrind, and says so where there is none.
bench-gate:
	$(CARGO) run --profile bench --locked -p rolewatch-bench -- gate

# Takes away one defence after the other and sees its row of the adversary suite turn red. Half an hour.
weaken:
	python3 analyzer/tests/weaken.py

# Hostile input for each fuzz target, FUZZ_SECONDS each. Needs a C++ compiler besides what `make test` needs.
FUZZ_SECONDS ?= 60
fuzz:
	python3 fuzz/run.py --seconds $(FUZZ_SECONDS)

# The emulator of SNS and SQS and the linters, pinned.
venv: $(VENV)/installed

$(VENV)/installed: requirements-test.txt
	sh infra/tests/setup $(VENV) requirements-test.txt
	touch $@

# Licences, sources, bans and duplicates of everything that is built in. Advisories need a database from the network.
deny: $(TOOLS)/bin/cargo-deny
	$(TOOLS)/bin/cargo-deny --locked check bans licenses sources

# Cargo's own helpers, pinned. Two CPU minutes each, once: they need no optimised build.
$(TOOLS)/bin/cargo-deny: TOOL_VERSION = 0.20.2
$(TOOLS)/bin/cargo-cyclonedx: TOOL_VERSION = 0.5.9
$(TOOLS)/bin/cargo-llvm-cov: TOOL_VERSION = 0.9.1
$(TOOLS)/bin/cargo-mutants: TOOL_VERSION = 27.1.0
$(TOOLS)/bin/cargo-%:
	CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		$(CARGO) install cargo-$* --version $(TOOL_VERSION) --locked --root $(TOOLS)

# Line coverage of the analyzer. Needs LLVM's tools of the compiler's version: `rustup component add llvm-tools`, or
# Debian's llvm package and its names in LLVM_COV and LLVM_PROFDATA.
coverage: $(TOOLS)/bin/cargo-llvm-cov
	PATH=$(abspath $(TOOLS))/bin:$$PATH cargo llvm-cov --locked -p rolewatch-analyzer --lib \
		--ignore-filename-regex '/tests[./]' --fail-under-lines 95

# Changes the judging code in one place after the other, and looks whether a test notices. Hours.
mutants: $(TOOLS)/bin/cargo-mutants
	PATH=$(abspath $(TOOLS))/bin:$$PATH cargo mutants -p rolewatch-analyzer --output target \
		-f 'analyzer/src/rbac/*.rs' -f analyzer/src/aws_auth.rs -f analyzer/src/change/*.rs \
		-f analyzer/src/audit/control_plane.rs -f analyzer/src/report/audit_lines.rs -- --lib

# The command, built twice in folders of different names: the same bytes.
reproducible:
	sh infra/reproducible

# Rewrites everything under docs that is computed. Look at the difference before committing it.
bless:
	UPDATE_EXPECT=1 $(CARGO) test --workspace --locked

# Zips of the function: for this machine, and for arm64 where the toolchain can.
package: $(TOOLS)/bin/cargo-cyclonedx
	PATH=$(abspath $(TOOLS))/bin:$$PATH sh infra/package

clean:
	$(CARGO) clean
	rm -rf .cache
