# What a developer and the CI run. `make test` on a fresh Debian machine needs rustup, make and
# Node.js 20; what else it needs it installs, below .cache where it can.

CARGO ?= cargo
VENV := .cache/venv
TOOLS ?= .cache/tools
PYTHON := $(VENV)/bin/python
CDK := infra/cdk
# The linters never phone home, and never look for an account.
LINT_ENV := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true

.PHONY: test browser check bench bench-gate compare weaken fuzz coverage mutants reproducible venv rust-check rust-test test-release soak \
	build measure-replay infra deny bless package clean

# Everything the CI runs, in the order that fails soonest.
test: venv browser rust-check rust-test infra build deny

# The report is looked at in a real browser, where one can be had: 300 MB on a Debian machine that lets us.
browser:
	@if command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium \
		|| echo "Chromium could not be installed: no browser will look at the report"; \
	else echo "no Chromium is installed, and we may not install it: no browser will look at the report"; fi

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

# 2 GiB of mixed log through the command as users build it: time, memory from beginning to end, and whether progress is true.
measure-replay: build
	python3 replay/tests/large.py $(abspath $(or $(CARGO_TARGET_DIR),target))/release/rolewatch $(abspath $(or $(CARGO_TARGET_DIR),target))/large

# The command, as users build it. The Lambda is tested as a debug binary: its release build takes minutes.
build:
	$(CARGO) build --release --locked -p rolewatch

# The templates by three linters, the construct by its tests and cdk-nag, and that both make the same.
infra: venv $(CDK)/node_modules/.installed
	$(VENV)/bin/cfn-lint infra/template.yaml infra/member.yaml
	for template in template member; do \
		$(LINT_ENV) $(VENV)/bin/sam validate --lint --template infra/$$template.yaml || exit 1; done
	cd $(CDK) && npx --no-install tsc -p .
	cd $(CDK) && node --import tsx --test test/rolewatch.test.ts
	cd $(CDK) && npx --no-install cdk synth --quiet --output $(abspath .cache/cdk.out) -c clusters=example -c code=bin
	$(PYTHON) -m unittest discover -s infra/tests

# Ratios on the made-up and the recorded log, or on your own: make bench LOGS=folder. With PAGE=1, docs/performance.md gets
# what was measured. What runs is a copy, as an installed program is one: the pages of what a linker has just written lie
# scattered in the cache, which was seen to cost us 3 %.
bench bench-gate compare: BENCH = $(abspath $(or $(CARGO_TARGET_DIR),target))/release/rolewatch-bench
bench:
	$(CARGO) build --profile bench --locked -p rolewatch-bench
	cp $(BENCH) $(BENCH)-installed
	$(BENCH)-installed $(if $(PAGE),--page) $(LOGS)

# The budgets in instructions. Needs valgrind, and says so where there is none. No part of `make test`: its build takes
# minutes, for it is the optimised one, and then valgrind takes ten more.
bench-gate:
	$(CARGO) run --profile bench --locked -p rolewatch-bench -- gate $(if $(PAGE),--page)

# Against Python, Node, zcat, jq and DuckDB, as far as they are installed; and size, start and memory of what is released.
# Builds both as they are released, which takes long.
compare: FOLDER = $(abspath $(or $(CARGO_TARGET_DIR),target))/compare
compare: build
	$(CARGO) build --release --locked -p rolewatch-lambda
	$(CARGO) build --profile bench --locked -p rolewatch-bench
	$(BENCH) write $(FOLDER)
	python3 benches/compare/run $(FOLDER) > $(FOLDER)/told || { cat $(FOLDER)/told; exit 1; }
	$(if $(PAGE),$(BENCH) fill compared <,cat) $(FOLDER)/told

# Everything is pinned in the lock file; what was downloaded once is not downloaded again.
$(CDK)/node_modules/.installed: $(CDK)/package-lock.json
	@command -v npm >/dev/null 2>&1 || { echo "install Node.js 20 or newer with npm: the CDK construct is tested with it" >&2; exit 1; }
	cd $(CDK) && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --cache $(abspath .cache/npm)
	touch $@

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
		-f 'analyzer/src/rbac/*.rs' -f analyzer/src/rbac.rs -f analyzer/src/aws_auth.rs -f 'analyzer/src/aws_auth/*.rs' -f 'analyzer/src/change/*.rs' \
		-f analyzer/src/change.rs -f analyzer/src/audit/control_plane.rs -f analyzer/src/report/reasons.rs \
		-f analyzer/src/report/audit_lines.rs -- --lib

# The command, built twice in folders of different names; fails where the bytes differ.
reproducible:
	sh infra/reproducible

# Rewrites everything under docs that is computed. Look at the difference before committing it.
bless:
	UPDATE_EXPECT=1 $(CARGO) test --workspace --locked

# Zips of the function for arm64 and x86-64, as far as the toolchain can; says what is missing. Beside each, what went in.
package: $(TOOLS)/bin/cargo-cyclonedx
	PATH=$(abspath $(TOOLS))/bin:$$PATH sh infra/package

clean:
	$(CARGO) clean
	rm -rf .cache
