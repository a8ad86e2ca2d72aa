/* Arithmetic of clocks: no context, no system call, so that tests can give it made-up answers. */
#include "api/clock.h"

#include <stdlib.h>

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    HALF_HOUR_MS = HOUR_MS / 2,
    WHOLE_WITHIN_MS = 5 * SECOND_MS, /* whoever sets a clock by hand, or by a zone, is this good */
    MOST_HALF_HOURS = 28, /* zones go from -12 to +14 hours */
};

static int64_t absolute(int64_t value)
{
    return value < 0 ? -value : value;
}

/*
 * The other side read its clock (it said `theirs` to `theirs` + `grain`) at some moment between `asked` and `answered` of ours. The middle of the two is the best
 * guess; half of the way there and back is the bound.
 */
static struct dr_clock_offset between(int64_t theirs, int64_t grain, int64_t asked, int64_t answered)
{
    return (struct dr_clock_offset){
        .ms = theirs + grain / 2 - (asked + (answered - asked) / 2),
        .error_ms = grain / 2 + (answered - asked) / 2 + 1,
    };
}

static bool by_challenge(const struct dr_endpoint *endpoint, struct dr_clock_offset *ret_offset)
{
    const struct dr_socket_answer *socket = &endpoint->socket;

    if (!socket->challenged || socket->challenge_ts_ms <= 0 || socket->challenged_ms < socket->asked_ms)
        return false; /* our own clock was set back in between */
    *ret_offset = between(socket->challenge_ts_ms, 0, socket->asked_ms, socket->challenged_ms);
    return true;
}

/* A proxy answers with its own Date, and says so with a Server header, which OpenClaw does not send. */
static bool by_date(const struct dr_endpoint *endpoint, const struct dr_answer *answer, struct dr_clock_offset *ret_offset)
{
    bool is_openclaw = endpoint->page.control_ui || endpoint->healthz.is_probe_answer || endpoint->readyz.is_probe_answer;

    if (endpoint->kind == DR_AT_PROXY || !is_openclaw || answer->reach != DR_REACH_ANSWERED || answer->date_ms <= 0 ||
        answer->server || answer->answered_ms < answer->asked_ms)
        return false;
    *ret_offset = between(answer->date_ms, SECOND_MS, answer->asked_ms, answer->answered_ms);
    return true;
}

bool dr_clock_of_endpoint(const struct dr_endpoint *endpoint, struct dr_clock_offset *ret_offset, bool *ret_coarse)
{
    *ret_coarse = false;
    if (by_challenge(endpoint, ret_offset))
        return true;
    *ret_coarse = true;
    return by_date(endpoint, &endpoint->page, ret_offset) || by_date(endpoint, &endpoint->healthz, ret_offset) ||
           by_date(endpoint, &endpoint->readyz, ret_offset);
}

static bool is_own(const struct dr_endpoint *endpoint)
{
    return endpoint->kind == DR_AT_LOOPBACK4 || endpoint->kind == DR_AT_LOOPBACK6 || endpoint->kind == DR_AT_OWN_ADDRESS;
}

/* How far off it is for certain. */
static int64_t certain_part(const struct dr_clock_offset *offset)
{
    return absolute(offset->ms) - offset->error_ms;
}

/* Two measurements that may be of one clock: the finer one tells more. Else the clock that is off more. */
static bool tells_more(const struct dr_clock_offset *offset, const struct dr_clock_offset *best)
{
    if (absolute(offset->ms - best->ms) <= offset->error_ms + best->error_ms)
        return offset->error_ms < best->error_ms;
    return certain_part(offset) > certain_part(best);
}

void dr_clock_of_endpoints(const struct dr_endpoint *endpoints, size_t count, struct dr_gateway_clock *ret_clock)
{
    struct dr_gateway_clock best = { .why = count == 0 ? "no gateway was asked" : "no gateway answered with its time" };

    for (size_t i = 0; i < count; i++) {
        struct dr_clock_offset offset;
        bool coarse;

        if (!dr_clock_of_endpoint(&endpoints[i], &offset, &coarse) || (best.endpoint && !tells_more(&offset, &best.offset)))
            continue;
        best = (struct dr_gateway_clock){
            .endpoint = &endpoints[i], .offset = offset, .coarse = coarse, .same_host = is_own(&endpoints[i])
        };
    }
    *ret_clock = best;
}

static bool holds(const struct dr_time_server *server, int64_t point)
{
    return server->answer == DR_TIME_ANSWERED && absolute(server->offset.ms - point) <= server->offset.error_ms;
}

static size_t count_at(const struct dr_time_server *servers, size_t count, int64_t point)
{
    size_t holding = 0;

    for (size_t i = 0; i < count; i++)
        holding += holds(&servers[i], point);
    return holding;
}

/* The best that those who agree leave open: the overlap of their intervals. */
static struct dr_clock_offset overlap(const struct dr_time_server *servers, size_t count)
{
    int64_t low = INT64_MIN, high = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        const struct dr_clock_offset *offset = &servers[i].offset;

        if (!servers[i].agrees)
            continue;
        if (offset->ms - offset->error_ms > low)
            low = offset->ms - offset->error_ms;
        if (offset->ms + offset->error_ms < high)
            high = offset->ms + offset->error_ms;
    }
    return (struct dr_clock_offset){ .ms = low + (high - low) / 2, .error_ms = (high - low + 1) / 2 };
}

/* The point that most intervals hold is the lower end of one of them. At most some dozens are asked, so every end is tried. */
void dr_clock_agree(struct dr_time_server *servers, size_t count, struct dr_ntp *ret_ntp)
{
    int64_t point = 0;

    ret_ntp->answered = 0;
    ret_ntp->agreeing = 0;
    for (size_t i = 0; i < count; i++) {
        servers[i].agrees = false;
        if (servers[i].answer != DR_TIME_ANSWERED)
            continue;
        int64_t low = servers[i].offset.ms - servers[i].offset.error_ms;
        size_t here = count_at(servers, count, low);

        ret_ntp->answered++;
        if (here > ret_ntp->agreeing) {
            ret_ntp->agreeing = here;
            point = low;
        }
    }
    ret_ntp->contradict = ret_ntp->answered > 0 && ret_ntp->agreeing * 2 <= ret_ntp->answered;
    if (ret_ntp->answered == 0 || ret_ntp->contradict)
        return;
    for (size_t i = 0; i < count; i++)
        servers[i].agrees = holds(&servers[i], point);
    ret_ntp->offset = overlap(servers, count);
}

bool dr_clock_is_beyond(const struct dr_clock_offset *offset, int64_t limit_ms)
{
    return certain_part(offset) > limit_ms;
}

/* The nearest multiple of `unit`, 0 when the offset is not within reach of one or the bound is too wide to say. */
static int64_t multiple(const struct dr_clock_offset *offset, int64_t unit)
{
    int64_t sign = offset->ms < 0 ? -1 : 1;
    int64_t whole = (absolute(offset->ms) + unit / 2) / unit;

    return offset->error_ms <= WHOLE_WITHIN_MS && absolute(absolute(offset->ms) - whole * unit) <= WHOLE_WITHIN_MS
               ? sign * whole
               : 0;
}

int dr_clock_half_hours(const struct dr_clock_offset *offset)
{
    int64_t halves = multiple(offset, HALF_HOUR_MS);

    return absolute(halves) <= MOST_HALF_HOURS ? (int)halves : 0;
}

int64_t dr_clock_days(const struct dr_clock_offset *offset)
{
    return multiple(offset, DAY_MS);
}

const char *dr_clock_span(struct dr_context *context, int64_t ms)
{
    static const struct {
        int64_t unit;
        const char *name;
    } units[] = { { DAY_MS, "d" }, { HOUR_MS, "h" }, { MINUTE_MS, "min" }, { SECOND_MS, "s" }, { 1, "ms" } };
    size_t largest = 0;

    ms = absolute(ms);
    if (ms >= SECOND_MS) /* nobody needs milliseconds beside seconds */
        ms = (ms + SECOND_MS / 2) / SECOND_MS * SECOND_MS;
    while (largest < 4 && ms < units[largest].unit)
        largest++;

    int64_t first = ms / units[largest].unit;
    int64_t second = largest < 4 ? ms % units[largest].unit / units[largest + 1].unit : 0;

    if (second == 0)
        return dr_format(context, "%lld %s", (long long)first, units[largest].name);
    return dr_format(context, "%lld %s %lld %s", (long long)first, units[largest].name, (long long)second,
                     units[largest + 1].name);
}
