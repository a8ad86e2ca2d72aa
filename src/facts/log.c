#include "facts/log_internal.h"

#include "api/gateway.h"
#include "api/target.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { MOST_FILES = 2, MOST_MEETINGS = 256, TAIL = 4 * 1024 * 1024 };

struct gathering {
    struct dr_context *context;
    struct dr_log *log;
    struct dr_log_hit *hits; /* one for each signature while gathering */
    struct dr_log_meeting *meetings;
    const char *path;
};

static void take_time(int64_t when, int64_t *first, int64_t *last)
{
    if (when == 0)
        return;
    if (*first == 0 || when < *first)
        *first = when;
    if (when > *last)
        *last = when;
}

static bool same_text(const char *kept, const char *text)
{
    return kept ? strcmp(kept, text) == 0 : !*text;
}

static struct dr_log_meeting *meeting_of(struct gathering *gathering, const struct dr_log_signature *signature,
                                         const struct dr_log_fields *fields)
{
    struct dr_log *log = gathering->log;
    struct dr_context *context = gathering->context;

    for (size_t i = log->meeting_count; i-- > 0;) {
        struct dr_log_meeting *meeting = &gathering->meetings[i];

        if (meeting->signature == signature && meeting->forwarded == fields->forwarded &&
            same_text(meeting->peer, fields->peer) && same_text(meeting->origin, fields->origin) &&
            same_text(meeting->host, fields->host))
            return meeting;
    }
    if (log->meeting_count == MOST_MEETINGS) {
        log->meetings_cut = true;
        return NULL;
    }
    struct dr_log_meeting *meeting = &gathering->meetings[log->meeting_count++];

    meeting->signature = signature;
    meeting->peer = fields->peer[0] ? dr_strdup(context, fields->peer) : NULL;
    meeting->address = fields->address;
    meeting->forwarded = fields->forwarded;
    meeting->origin = fields->origin[0] ? dr_strdup(context, fields->origin) : NULL;
    meeting->host = fields->host[0] ? dr_strdup(context, fields->host) : NULL;
    return meeting;
}

static void count(struct gathering *gathering, size_t number, int64_t when, const struct dr_log_fields *fields)
{
    struct dr_log_hit *hit = &gathering->hits[number];

    hit->count++;
    hit->path = gathering->path;
    take_time(when, &hit->first_ms, &hit->last_ms);
    if (!fields->peer[0] && !fields->origin[0])
        return;
    struct dr_log_meeting *meeting = meeting_of(gathering, &dr_log_signatures[number], fields);

    if (!meeting)
        return;
    meeting->count++;
    take_time(when, &meeting->first_ms, &meeting->last_ms);
}

static void seen(void *data, uint64_t signatures, const char *line, size_t length, size_t address_at)
{
    struct gathering *gathering = data;
    struct dr_log_fields fields;
    int64_t when = dr_log_line_time(line, length);

    dr_log_line_fields(line, length, address_at, &fields);
    for (size_t i = 0; i < dr_log_signature_count; i++)
        if (signatures >> i & 1)
            count(gathering, i, when, &fields);
}

static const char *why_not(struct dr_context *context, const char *path, int error)
{
    if (error == -ELOOP)
        return dr_format(context, "%s is a link", path);
    return dr_format(context, "%s cannot be read: %s", path, strerror(-error));
}

static int read_tail(struct gathering *gathering, const struct dr_log_place *place, char *piece,
                     const struct dr_needles *needles, struct dr_log_file *file)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = place->error ? place->error : dr_open(gathering->context->request->root_fd, place->path, O_RDONLY, &fd);

    if (r == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
        r = -EINVAL;
    if (r < 0)
        return r;
    file->size = (uint64_t)st.st_size;
    file->from = file->size > TAIL ? file->size - TAIL : 0;
    return dr_log_scan(fd, file->from, piece, needles, seen, gathering);
}

/* Only the signatures that were met are kept. */
static void keep_hits(struct gathering *gathering)
{
    struct dr_log *log = gathering->log;

    for (size_t i = 0; i < dr_log_signature_count; i++)
        if (gathering->hits[i].count > 0)
            gathering->hits[log->hit_count++] = gathering->hits[i];
    log->hits = gathering->hits;
    log->meetings = gathering->meetings;
}

static void read_places(struct gathering *gathering, const struct dr_log_place *places, size_t count)
{
    struct dr_context *context = gathering->context;
    struct dr_needles *needles = dr_alloc(context, sizeof(*needles));
    const char **texts = dr_alloc(context, dr_log_signature_count * sizeof(*texts));
    struct dr_log_file *files = dr_alloc(context, count * sizeof(*files));
    char *piece = dr_alloc(context, DR_LOG_PIECE);

    gathering->hits = dr_alloc(context, dr_log_signature_count * sizeof(*gathering->hits));
    gathering->meetings = dr_alloc(context, MOST_MEETINGS * sizeof(*gathering->meetings));
    for (size_t i = 0; i < dr_log_signature_count; i++) {
        texts[i] = dr_log_signatures[i].needle;
        gathering->hits[i].signature = &dr_log_signatures[i];
    }
    if (dr_needles_prepare(needles, texts, dr_log_signature_count) < 0)
        return;
    for (size_t i = count; i-- > 0;) { /* the oldest first, so that the last line is the last */
        gathering->path = places[i].path;
        files[i].path = places[i].path;
        int r = read_tail(gathering, &places[i], piece, needles, &files[i]);

        if (r < 0) {
            files[i].why_not = why_not(context, places[i].path, r);
            gathering->log->fact.reason = files[i].why_not;
        } else {
            gathering->log->fact.state = DR_KNOWN;
        }
    }
    gathering->log->files = files;
    gathering->log->file_count = count;
    keep_hits(gathering);
}

static void gather(struct dr_context *context, struct dr_log *log)
{
    struct dr_log_place places[MOST_FILES];
    struct gathering gathering = { .context = context, .log = log };
    const char *where;
    size_t count = dr_log_places(context, places, MOST_FILES, &where);

    if (count == 0) {
        log->fact.state = DR_ABSENT;
        log->fact.reason = dr_format(context, "the gateway has left no log (looked for %s)", where);
        return;
    }
    log->fact.state = DR_UNKNOWN;
    log->fact.source.path = places[0].path;
    read_places(&gathering, places, count);
    if (log->fact.state == DR_KNOWN)
        log->fact.reason = NULL;
}

const struct dr_log *dr_log(struct dr_context *context)
{
    if (!context->log) {
        context->log = dr_alloc(context, sizeof(*context->log));
        gather(context, context->log);
    }
    return context->log;
}

const struct dr_log_hit *dr_log_find(const struct dr_log *log, const char *id)
{
    for (size_t i = 0; i < log->hit_count; i++)
        if (strcmp(log->hits[i].signature->id, id) == 0)
            return &log->hits[i];
    return NULL;
}

bool dr_log_is_recent(struct dr_context *context, int64_t ms)
{
    static const int64_t day_ms = (int64_t)24 * 3600 * 1000, week_ms = 7 * (int64_t)24 * 3600 * 1000;
    const struct dr_gateway *gateway = dr_gateway(context);
    int64_t age_ms = dr_now_ms(context) - ms;

    if (ms == 0 || age_ms < day_ms)
        return true;
    return age_ms < week_ms && (gateway->runs_for_ms < 0 || age_ms <= gateway->runs_for_ms);
}
