# make demo    installs what is missing, builds, and runs the main job on an example
# make check   installs, builds and passes the tests
# The rest is for developers: see CONTRIBUTING.md.

PRESET ?= release
BUILD := build/$(PRESET)
SUITES ?= ../shared/conformance
NETWORK_SUITES ?= ../shared/conformance-network
FIELD ?= ../shared/field

.PHONY: demo check check-long build packages conformance format format-check clean

packages:
	@tools/install-packages

build: packages
	@test -f $(BUILD)/build.ninja || cmake --preset $(PRESET) > /dev/null
	@echo "building in $(BUILD): some minutes the first time, and silent unless something is wrong"
	@ninja -C $(BUILD) --quiet

demo: build
	@examples/demo.sh $(BUILD)/bin

check: build format-check
	@tools/check-changed
	ctest --test-dir $(BUILD) -j2 --output-on-failure
	@$(MAKE) --no-print-directory conformance PRESET=$(PRESET)

conformance: build
	@if [ -d "$(SUITES)" ]; then \
	    $(BUILD)/bin/polecat-conformance $(SUITES); \
	elif [ "$$CI" = true ]; then \
	    echo "conformance: $(SUITES) is not there, and CI must run it" >&2; exit 1; \
	else \
	    echo "conformance: skipped, the suites are not beside this clone ($(SUITES))"; \
	fi
	@if [ -d "$(NETWORK_SUITES)" ]; then \
	    $(BUILD)/bin/polecat-conformance $(NETWORK_SUITES); \
	else \
	    echo "conformance: skipped, $(NETWORK_SUITES) is not there"; \
	fi
	@if [ -x "$(FIELD)/check" ]; then \
	    "$(FIELD)/check" $(BUILD)/bin/polecat "$(FIELD)"; \
	else \
	    echo "conformance: skipped, the cases of users are not beside this clone ($(FIELD))"; \
	fi

# What takes longer than a pull request should wait: fuzzing, sanitizers over the fast layers.
check-long: check
	@tools/check-long

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

format-check:
	@git ls-files '*.h' '*.cpp' | xargs clang-format --dry-run --Werror

clean:
	rm -rf build
