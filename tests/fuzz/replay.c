/* Gives a fuzz target the files of its corpus, one after the other, and each of them cut at every length up to 512. */
#include "base/cleanup.h"
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, MOST_CUTS = 512 };

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(MOST_BYTES);

    PROMISE(file && bytes);

    size_t length = fread(bytes, 1, MOST_BYTES, file);

    (void)fclose(file);
    for (size_t cut = 0; cut <= length; cut++) {
        if (cut > MOST_CUTS && cut < length)
            continue;

        /* A copy of exactly this size: one byte too far is seen by the sanitizers. */
        uint8_t *exact = malloc(cut ? cut : 1);

        PROMISE(exact != NULL);
        memcpy(exact, bytes, cut);
        (void)LLVMFuzzerTestOneInput(exact, cut);
        free(exact);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    int count = 0;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 64;
    }

    DIR *folder = opendir(argv[1]);

    PROMISE(folder != NULL);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char *path = NULL;

        if (entry->d_name[0] == '.')
            continue;
        PROMISE(asprintf(&path, "%s/%s", argv[1], entry->d_name) > 0);
        replay(path);
        free(path);
        count++;
    }
    (void)closedir(folder);
    printf("%d files\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
