/*
 * What the fuzz targets share.
 *
 * A target is a file fuzz_<name>.c with LLVMFuzzerTestOneInput. With libFuzzer (preset fuzz) it searches; everywhere else
 * replay.c gives it the files of corpus/<name>/, so that what was found once stays found (ctest fuzz/<name>).
 */
#ifndef DR_TESTS_FUZZ_H
#define DR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the header under test. Also counts in builds without asserts. */
#define PROMISE(condition)                                                                \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

#endif
