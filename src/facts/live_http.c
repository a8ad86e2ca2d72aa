/*
 * The HTTP side of a place: GET /, then /healthz and /readyz over the same connection. When the certificate is not good the page is asked again
 * without looking at it; when the protocol is not what was asked, once more with or without TLS.
 */
#include "facts/live_probe.h"

#include <errno.h>
#include <string.h>

enum { MOST_BODY = 256 * 1024, MOST_HEADERS = 64 * 1024 };

enum step { PAGE, HEALTHZ, READYZ, OTHER };

struct http {
    struct dr_live_machine machine;
    enum step step;
    struct dr_answer *answer; /* of this step; NULL for OTHER */
    struct dr_buffer body;
    size_t header_bytes;
    int64_t first_byte_clock_ms;
    struct dr_live_failure certificate; /* what was wrong before it was not looked at */
};

static void go(struct http *http);

static size_t take_body(char *bytes, size_t size, size_t count, void *client)
{
    struct http *http = client;
    size_t length = size * count, room = MOST_BODY - http->body.length;

    /* A longer page is cut: what matters stands in its head. */
    if (dr_buffer_append(&http->body, bytes, length < room ? length : room) < 0)
        return 0;
    return length <= room ? length : 0;
}

static const char *header_value(struct dr_context *context, const char *line, size_t length, const char *name)
{
    size_t name_length = strlen(name);

    if (length <= name_length || strncasecmp(line, name, name_length) != 0)
        return NULL;
    line += name_length;
    length -= name_length;
    for (; length > 0 && (*line == ' ' || *line == '\t'); length--)
        line++;
    while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n' || line[length - 1] == ' '))
        length--;
    return length < 200 ? dr_strndup(context, line, length) : NULL;
}

static size_t take_header(char *line, size_t size, size_t count, void *client)
{
    struct http *http = client;
    struct dr_context *context = http->machine.run->context;
    size_t length = size * count;
    const char *value;

    if (http->header_bytes == 0)
        http->first_byte_clock_ms = dr_live_clock_ms();
    http->header_bytes += length;
    if (http->header_bytes > MOST_HEADERS)
        return 0;
    if (!http->answer)
        return length;
    if ((value = header_value(context, line, length, "date:")))
        http->answer->date_ms = (int64_t)http->machine.run->curl.getdate(value, NULL) * 1000;
    else if ((value = header_value(context, line, length, "server:")))
        http->answer->server = value;
    else if ((value = header_value(context, line, length, "content-type:")))
        http->answer->content_type = value;
    return length;
}

/* Microseconds of libcurl, as milliseconds; 0 there means that it did not come so far. */
static double time_of(const struct http *http, CURLINFO info, bool reused)
{
    curl_off_t microseconds = 0;

    (void)http->machine.run->curl.easy_getinfo(http->machine.easy, info, &microseconds);
    return microseconds > 0 || reused ? (double)microseconds / 1000.0 : -1;
}

static void note_times(struct http *http)
{
    const struct dr_curl *curl = &http->machine.run->curl;
    struct dr_answer *answer = http->answer;
    long connections = 0, status = 0;
    const char *peer = NULL;
    double sent;

    (void)curl->easy_getinfo(http->machine.easy, CURLINFO_NUM_CONNECTS, &connections);
    (void)curl->easy_getinfo(http->machine.easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl->easy_getinfo(http->machine.easy, CURLINFO_PRIMARY_IP, &peer);
    sent = time_of(http, CURLINFO_PRETRANSFER_TIME_T, false);
    answer->connect_ms = time_of(http, CURLINFO_CONNECT_TIME_T, false);
    answer->tls_ms = http->machine.tls ? time_of(http, CURLINFO_APPCONNECT_TIME_T, false) : -1;
    answer->first_byte_ms = time_of(http, CURLINFO_STARTTRANSFER_TIME_T, false);
    answer->total_ms = dr_live_now_ms() - http->machine.began_ms;
    answer->connected |= answer->connect_ms >= 0 || sent >= 0;
    if (peer && *peer)
        answer->peer = dr_strdup(http->machine.run->context, peer);
    if (http->header_bytes == 0 || status <= 0)
        return;
    answer->status = (unsigned)status;
    answer->answered_ms = http->first_byte_clock_ms;
    answer->asked_ms = http->first_byte_clock_ms - (int64_t)(answer->first_byte_ms - (sent > 0 ? sent : 0) + 0.5);
}

static void read_body(struct http *http)
{
    struct dr_context *context = http->machine.run->context;
    const char *body = dr_buffer_text(&http->body);

    switch (http->step) {
    case PAGE:
        http->answer->control_ui = dr_live_is_control_ui(body);
        break;
    case HEALTHZ:
        dr_live_read_probe_answer(context, body, "ok", http->answer);
        break;
    case READYZ:
        dr_live_read_probe_answer(context, body, "ready", http->answer);
        break;
    case OTHER:
        return;
    }
    http->answer->error_type = dr_live_error_type(context, body);
}

static void note_failure(struct http *http, struct dr_live_failure failure)
{
    http->answer->reach = failure.reach;
    http->answer->why = failure.why;
}

static void give_up(struct http *http, const char *why)
{
    if (http->answer)
        note_failure(http, (struct dr_live_failure){ .reach = DR_REACH_FAILED, .why = why });
    dr_live_machine_done(&http->machine);
}

static void begin(struct http *http, enum step step, struct dr_answer *answer)
{
    http->step = step;
    http->answer = answer;
    http->machine.began_ms = dr_live_now_ms();
    go(http);
}

/* TLS answered with something else, or silence and garbage where TLS may be spoken. */
static bool may_be_other_protocol(const struct http *http)
{
    const struct dr_answer *page = http->answer;

    if (http->machine.tls)
        return page->reach == DR_REACH_TLS_FAILED;
    return page->reach == DR_REACH_NOT_HTTP || page->reach == DR_REACH_RESET || page->reach == DR_REACH_CLOSED ||
           (page->status == 400 && strstr(dr_buffer_text(&http->body), "HTTPS"));
}

static void ask_other_protocol(struct http *http)
{
    http->machine.tls = !http->machine.tls;
    http->machine.unverified = true;
    begin(http, OTHER, NULL);
}

static void go_on(struct http *http)
{
    struct dr_endpoint *endpoint = http->machine.place->endpoint;

    if (http->step == PAGE)
        begin(http, HEALTHZ, &endpoint->healthz);
    else if (http->step == HEALTHZ)
        begin(http, READYZ, &endpoint->readyz);
    else
        dr_live_machine_done(&http->machine);
}

static void leave_out_rest(struct http *http)
{
    struct dr_endpoint *endpoint = http->machine.place->endpoint;

    if (http->step == PAGE)
        endpoint->healthz.why = endpoint->readyz.why = "not asked: the page did not come";
    else if (http->step == HEALTHZ)
        endpoint->readyz.why = "not asked: /healthz did not come";
    dr_live_machine_done(&http->machine);
}

static void came(struct http *http)
{
    http->answer->reach = DR_REACH_ANSWERED;
    if (http->certificate.why) {
        note_failure(http, http->certificate);
        http->answer->tls_issuer = dr_live_certificate_issuer(&http->machine);
    }
    read_body(http);
    if (http->step == PAGE && may_be_other_protocol(http))
        ask_other_protocol(http);
    else
        go_on(http);
}

static void ended(struct dr_live_machine *machine, CURLcode code)
{
    struct http *http = (struct http *)machine;
    struct dr_live_failure failure;

    dr_live_machine_stop(machine);
    if (http->step == OTHER) {
        machine->place->endpoint->speaks_other = http->header_bytes > 0;
        dr_live_machine_done(machine);
        return;
    }
    note_times(http);
    /* Cut by take_body, or an end that was not announced: the answer came all the same. */
    if (http->answer->status > 0 && http->header_bytes <= MOST_HEADERS &&
        (code == CURLE_OK || code == CURLE_WRITE_ERROR || code == CURLE_PARTIAL_FILE)) {
        came(http);
        return;
    }
    failure = dr_live_failure_of(machine, code);
    http->answer->status = 0;
    if (!machine->unverified && dr_live_certificate_is_bad(failure.reach)) {
        http->certificate = failure;
        machine->unverified = true;
        begin(http, http->step, http->answer);
        return;
    }
    note_failure(http, http->certificate.why ? http->certificate : failure);
    if (http->step == PAGE && may_be_other_protocol(http)) {
        machine->place->endpoint->healthz.why = machine->place->endpoint->readyz.why = "not asked: the page did not come";
        ask_other_protocol(http);
    } else {
        leave_out_rest(http);
    }
}

static void late(struct dr_live_machine *machine)
{
    struct http *http = (struct http *)machine;

    if (http->step == OTHER) {
        dr_live_machine_done(machine);
        return;
    }
    note_times(http);
    if (http->answer->status > 0) { /* the head came, and the rest drips */
        http->answer->reach = DR_REACH_ANSWERED;
        read_body(http);
    } else {
        http->answer->connected |= dr_live_machine_is_connected(machine);
        note_failure(http, dr_live_failure_late(machine));
    }
    leave_out_rest(http);
}

static void release(struct dr_live_machine *machine)
{
    dr_buffer_release(&((struct http *)machine)->body);
}

static const char *path_of(const struct http *http)
{
    if (http->step == PAGE || http->step == OTHER)
        return http->machine.place->path;
    return dr_live_path_of(http->machine.run->context, http->machine.place, http->step == HEALTHZ ? "healthz" : "readyz");
}

static void go(struct http *http)
{
    struct dr_live_machine *machine = &http->machine;
    const struct dr_curl *curl = &machine->run->curl;

    http->header_bytes = 0;
    dr_buffer_clear(&http->body);
    if (http->answer) {
        http->answer->connect_ms = http->answer->tls_ms = http->answer->first_byte_ms = http->answer->total_ms = -1;
        http->answer->connected = false;
    }
    if (dr_live_machine_prepare(machine, path_of(http)) < 0 ||
        curl->easy_setopt(machine->easy, CURLOPT_WRITEFUNCTION, take_body) != CURLE_OK ||
        curl->easy_setopt(machine->easy, CURLOPT_WRITEDATA, http) != CURLE_OK ||
        curl->easy_setopt(machine->easy, CURLOPT_HEADERFUNCTION, take_header) != CURLE_OK ||
        curl->easy_setopt(machine->easy, CURLOPT_HEADERDATA, http) != CURLE_OK || dr_live_machine_go(machine) < 0)
        give_up(http, "libcurl does not take the request");
}

void dr_live_http_start(struct dr_live_run *run, struct dr_live_place *place)
{
    struct http *http = (struct http *)dr_live_machine_new(run, place, sizeof(*http));

    http->machine.ended = ended;
    http->machine.late = late;
    http->machine.release = release;
    http->body = (struct dr_buffer)DR_BUFFER(MOST_BODY);
    begin(http, PAGE, &place->endpoint->page);
}
