# What reads the sources instead of running them. `make lint` is all of it.

sources := $(wildcard oob/*.c sigurg/*.c capture/*.c tools/*.c tools/lab/*.c \
	   tests/*.c)
headers := $(wildcard oob/*.h sigurg/*.h capture/*.h tools/*.h tools/lab/*.h \
	   tests/*.h)
scripts := $(filter-out %.awk %.mk %/packages,$(wildcard .ci/*))
readers := layers format-check tidy cppcheck shellcheck man-check

lint:
	@.ci/deps build test lint
	$(again) -s -k -Otarget $(readers)

layers: $(lib_obj)
	.ci/layers $O

format:
	clang-format -i $(sources) $(headers)

format-check:
	@status=0; for file in $(sources) $(headers); do \
		clang-format $$file | cmp -s - $$file || \
		{ echo "$$file: make format would change it"; status=1; }; \
	done; exit $$status

tidy: $(sources:%.c=$O/tidy/%)
$O/tidy/%: %.c $(headers) .clang-tidy
	@said=$$(clang-tidy --quiet $< -- -std=c11 $(cppflags) 2>&1) || \
		{ echo "$$said"; exit 1; }
	@mkdir -p $(@D) && touch $@

cppcheck:
	cppcheck --quiet -j2 --error-exitcode=1 --std=c11 --inline-suppr \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem -I. -D_GNU_SOURCE $(sources)

shellcheck:
	shellcheck $(scripts) $(wildcard tests/*.bats tests/*.bash)

# scdoc writes a paragraph's macro where none is due; it has no effect.
man-check: $(manuals)
	@! mandoc -T lint -W warning $^ | grep -v 'skipping paragraph macro'

.PHONY: lint format $(readers)
