#include "report/scrub.h"

#include "report/report.h"

#include <string.h>

enum { MOST_TEXT = 16 << 20 };

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
           byte == '-' || (unsigned char)byte >= 0x80;
}

/* "/home/oc" stands alone in "/home/oc/.env" and "in /home/oc.", not in "/mnt/home/oc" or "/home/oc.bak". */
static bool stands_alone(const char *text, size_t at, size_t length)
{
    char before = at > 0 ? text[at - 1] : ' ';
    const char *after = text + at + length;

    if (is_name_byte(before) || before == '/' || before == '.' || before == '~')
        return false;
    if (*after == '.')
        return !is_name_byte(after[1]) && after[1] != '.';
    return !is_name_byte(*after);
}

static bool is_home(const struct dr_scrub *scrub, const char *text, size_t at)
{
    size_t length = scrub->home ? strlen(scrub->home) : 0;

    return length > 1 && strncmp(text + at, scrub->home, length) == 0 && stands_alone(text, at, length);
}

int dr_scrub_text(const struct dr_scrub *scrub, const char *text, struct dr_buffer *buffer)
{
    size_t run_length = scrub->run_id ? strlen(scrub->run_id) : 0;
    size_t from = 0;
    size_t at = 0;

    while (text[at]) {
        const char *instead = NULL;
        size_t length = 0;

        if (is_home(scrub, text, at)) {
            instead = "~";
            length = strlen(scrub->home);
        } else if (run_length > 0 && strncmp(text + at, scrub->run_id, run_length) == 0) {
            instead = "RUN";
            length = run_length;
        } else if (scrub->hide_pids && strncmp(text + at, "pid ", 4) == 0 && strspn(text + at + 4, "0123456789") > 0) {
            instead = "pid N";
            length = 4 + strspn(text + at + 4, "0123456789");
        }
        if (!instead) {
            at++;
            continue;
        }
        int r = dr_buffer_append(buffer, text + from, at - from);

        if (r < 0 || (r = dr_buffer_append_text(buffer, instead)) < 0)
            return r;
        at += length;
        from = at;
    }
    return dr_buffer_append(buffer, text + from, at - from);
}

static int scrub_one(const struct dr_scrub *scrub, cJSON *json)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(MOST_TEXT);
    int r = dr_scrub_text(scrub, json->valuestring, &buffer);

    if (r < 0)
        return r;
    if (strcmp(dr_buffer_text(&buffer), json->valuestring) == 0)
        return 0;
    return cJSON_SetValuestring(json, dr_buffer_text(&buffer)) ? 0 : -ENOMEM;
}

int dr_scrub_json(const struct dr_scrub *scrub, cJSON *json)
{
    cJSON *item;
    int r;

    if (cJSON_IsString(json))
        return scrub_one(scrub, json);
    cJSON_ArrayForEach (item, json) {
        r = dr_scrub_json(scrub, item); /* a document is as deep as its schema */
        if (r < 0)
            return r;
    }
    return 0;
}

int dr_report_hide_home(cJSON *json, const char *home)
{
    struct dr_scrub scrub = { .home = home };

    return dr_scrub_json(&scrub, json);
}
