/* Whom the time services are configured to ask. */
#include "facts/clock_service.h"

#include "base/text.h"
#include "facts/clock_lines.h"
#include "facts/context.h"
#include "facts/text_file.h"
#include "format/systemd_unit.h"

#include <fnmatch.h>
#include <string.h>

enum { NTP_PORT = 123, MOST_PORT = 65535, DEEPEST_INCLUDE = 5, MOST_UNITS = 32 };

struct reading {
    struct dr_context *context;
    struct dr_time_name *names;
    size_t count;
    unsigned depth; /* of includes */
};

static void add(struct reading *reading, const char *name, unsigned port, const char *path, unsigned line)
{
    for (size_t i = 0; i < reading->count; i++)
        if (strcasecmp(reading->names[i].name, name) == 0 && reading->names[i].port == port)
            return;
    if (reading->count == DR_MOST_TIME_NAMES || dr_text_starts_with(name, "127.127.")) /* ntpd's names of radio clocks */
        return;
    reading->names[reading->count++] = (struct dr_time_name){
        .name = dr_strdup(reading->context, name),
        .port = port,
        .source = { .path = path, .line = line },
    };
}

/* ---- systemd-timesyncd ---- */

static const char *const timesyncd_folders[] = { "/usr/lib/systemd", "/usr/local/lib/systemd", "/run/systemd",
                                                 "/etc/systemd" };

static bool parse_unit(struct reading *reading, const char *path, struct dr_unit *ret_unit)
{
    struct dr_text_file file;

    return dr_text_file_read(reading->context, path, &file) == 0 &&
           dr_unit_parse(path, file.bytes, file.length, reading->context->arena, ret_unit) == 0;
}

static void read_timesyncd(struct reading *reading)
{
    struct dr_unit units[MOST_UNITS];
    const struct dr_unit_entry *const *entries;
    size_t count = 0, found = 0;

    if (parse_unit(reading, "/etc/systemd/timesyncd.conf", &units[count]))
        count++;
    for (size_t i = 0; i < DR_COUNT(timesyncd_folders); i++) {
        const char *folder = dr_format(reading->context, "%s/timesyncd.conf.d", timesyncd_folders[i]);
        const char *const *files = dr_folder_files(reading->context, folder, ".conf");

        for (; files && *files && count < MOST_UNITS; files++)
            count += parse_unit(reading, *files, &units[count]);
    }
    if (dr_unit_effective(units, count, "Time", "NTP", reading->context->arena, &entries, &found) < 0)
        return;
    for (size_t i = 0; i < found; i++) {
        const struct dr_unit_word *words;
        size_t word_count = 0;

        if (dr_unit_words(entries[i], true, reading->context->arena, &words, &word_count) < 0)
            continue;
        for (size_t j = 0; j < word_count; j++)
            add(reading, words[j].text, NTP_PORT, "/etc/systemd/timesyncd.conf", entries[i]->line);
    }
}

/* What the network told systemd-networkd by DHCP. */
static void take_network(void *state, const struct dr_line *line)
{
    struct reading *reading = state;

    if (!dr_text_starts_with(line->words[0], "NTP="))
        return;
    for (size_t i = 0; i < line->count; i++)
        if (line->words[i][i == 0 ? 4 : 0])
            add(reading, line->words[i] + (i == 0 ? 4 : 0), NTP_PORT, line->path, line->number);
}

/* ---- chrony, ntpd ---- */

static void take_directive(void *state, const struct dr_line *line);

static void read_lines(struct reading *reading, const char *path)
{
    if (reading->depth >= DEEPEST_INCLUDE)
        return;
    reading->depth++;
    (void)dr_lines_read(reading->context, path, "#!;%", take_directive, reading);
    reading->depth--;
}

static void read_folder(struct reading *reading, const char *folder, const char *pattern)
{
    const char *const *files = dr_folder_files(reading->context, folder, "");

    for (; files && *files; files++)
        if (fnmatch(pattern, strrchr(*files, '/') + 1, FNM_PERIOD) == 0)
            read_lines(reading, *files);
}

/* A path, whose last component may be a pattern. */
static void read_pattern(struct reading *reading, const char *path)
{
    const char *last = strrchr(path, '/');

    if (path[0] != '/')
        return;
    if (strpbrk(path, "*?["))
        read_folder(reading, dr_strndup(reading->context, path, (size_t)(last - path)), last + 1);
    else
        read_lines(reading, path);
}

/* `server NAME [port N] ...` */
static unsigned port_of(const struct dr_line *line)
{
    for (size_t i = 2; i + 1 < line->count; i++)
        if (strcasecmp(line->words[i], "port") == 0) {
            unsigned long port = strtoul(line->words[i + 1], NULL, 10);

            return port > 0 && port <= MOST_PORT ? (unsigned)port : NTP_PORT;
        }
    return NTP_PORT;
}

enum directive { ASKS, INCLUDES, HOLDS_CONF, HOLDS_SOURCES };

static const struct {
    const char *word;
    enum directive directive;
} directives[] = {
    { "server", ASKS },        { "pool", ASKS },
    { "peer", ASKS },          { "servers", ASKS }, /* OpenNTPD */
    { "include", INCLUDES },   { "includefile", INCLUDES },
    { "confdir", HOLDS_CONF }, { "sourcedir", HOLDS_SOURCES },
};

static void take_directive(void *state, const struct dr_line *line)
{
    struct reading *reading = state;
    size_t at = 0;

    while (at < DR_COUNT(directives) && strcasecmp(line->words[0], directives[at].word) != 0)
        at++;
    if (at == DR_COUNT(directives) || line->count < 2)
        return;
    if (directives[at].directive == ASKS) {
        add(reading, line->words[1], port_of(line), line->path, line->number);
        return;
    }
    for (size_t i = 1; i < line->count; i++)
        if (directives[at].directive == INCLUDES)
            read_pattern(reading, line->words[i]);
        else
            read_folder(reading, line->words[i], directives[at].directive == HOLDS_CONF ? "*.conf" : "*.sources");
}

const struct dr_time_name *dr_clock_configured(struct dr_context *context, size_t *ret_count)
{
    static const char *const files[] = { "/etc/chrony/chrony.conf", "/etc/chrony.conf",        "/etc/ntpsec/ntp.conf",
                                         "/etc/ntp.conf",           "/etc/openntpd/ntpd.conf", "/etc/ntpd.conf" };
    struct reading reading = { .context = context };

    reading.names = dr_alloc(context, DR_MOST_TIME_NAMES * sizeof(*reading.names));
    read_timesyncd(&reading);
    (void)dr_lines_read(context, "/run/systemd/netif/state", "#", take_network, &reading);
    for (size_t i = 0; i < DR_COUNT(files); i++)
        read_lines(&reading, files[i]);
    *ret_count = reading.count;
    return reading.names;
}
