/*
 * The configuration with its includes: the input, cut at bytes 0x1e (record separator), is openclaw.json, a.json and b.json in a
 * folder of its own. Whatever they hold, the fact has a state; every value can be walked and lies inside its file.
 */
#include "facts/config.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 3, MOST_VALUES = 2000 };

static const char *const names[FILES] = { "openclaw.json", "a.json", "b.json" };

static int folder_fd = -1;
static char folder[] = "/dev/shm/dr-fuzz-XXXXXX";

static void remove_folder(void)
{
    for (size_t i = 0; i < FILES; i++)
        (void)unlinkat(folder_fd, names[i], 0);
    (void)close(folder_fd);
    (void)rmdir(folder);
}

static void make_folder(void)
{
    if (folder_fd >= 0)
        return;
    PROMISE(mkdtemp(folder) != NULL);
    folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    PROMISE(folder_fd >= 0);
    PROMISE(atexit(remove_folder) == 0);
}

static void write_files(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < FILES; i++) {
        const uint8_t *end = size ? memchr(data, 0x1e, size) : NULL;
        size_t length = end ? (size_t)(end - data) : size;
        int fd = openat(folder_fd, names[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        PROMISE(fd >= 0 && write(fd, data, length) == (ssize_t)length);
        (void)close(fd);
        data += end ? length + 1 : length;
        size -= end ? length + 1 : length;
    }
}

static const char *variable(void *data, const char *name)
{
    (void)data;
    return strcmp(name, "A") == 0 ? "value of a" : NULL;
}

static void walk(const struct dr_config *config, const struct dr_config_value *value, unsigned depth, unsigned *budget)
{
    struct dr_config_value child;
    struct dr_config_value again;

    PROMISE(value->offset + value->length <= value->file->length && value->length > 0);
    PROMISE(value->inner_length == 0 || !memcmp(value->file->bytes + value->inner_offset, value->text, value->inner_length));
    PROMISE(value->missing_env == (value->type == DR_VALUE_STRING && !value->text));

    int r = dr_config_lookup(config, value->source.pointer, &again);

    /* Keys with NUL bytes have no path of their own. */
    PROMISE(r == 1 || r == -ENODATA || r == 0);
    if (depth == 0)
        return;
    for (bool more = dr_config_first(config, value, &child); more && *budget > 0;
         more = dr_config_next(config, &child, &child)) {
        --*budget;
        walk(config, &child, depth - 1, budget);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dr_arena arena = DR_ARENA(256 << 20);
    struct dr_config_environment environment = { .get = variable };
    struct dr_config config;
    struct dr_config_value root;
    unsigned budget = MOST_VALUES;

    make_folder();
    write_files(data, size);

    int r = dr_config_load(folder_fd, "/openclaw.json", &environment, &arena, &config);

    PROMISE(r == 0 || r == -ENOMEM);
    if (r == 0 && config.fact.state == DR_KNOWN) {
        PROMISE(dr_config_lookup(&config, "", &root) == 1);
        walk(&config, &root, 40, &budget);
    } else if (r == 0) {
        PROMISE(config.fact.state == DR_UNKNOWN && config.fact.reason);
        PROMISE(dr_config_lookup(&config, "gateway", &root) == -EIO);
    }
    dr_arena_release(&arena);
    return 0;
}
