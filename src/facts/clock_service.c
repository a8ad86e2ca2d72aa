#include "facts/clock_service.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/context.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { MOST_PROCESSES = 65536, MOST_TEXT = 64 * 1024 };

/* `sign`: a file that only this package has, where two packages have the same program. */
static const struct known {
    const char *name;
    const char *units[3];
    const char *programs[3];
    const char *sign;
    const char *controls[2];
    const char *title; /* comm, at most 15 characters */
    const char *synced[2]; /* files whose time of change is that of the last synchronisation */
} known_services[] = {
    { .name = "systemd-timesyncd",
      .units = { "systemd-timesyncd.service" },
      .programs = { "/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd" },
      .title = "systemd-timesyn",
      .synced = { "/run/systemd/timesync/synchronized", "/var/lib/systemd/timesync/clock" } },
    { .name = "chrony",
      .units = { "chrony.service", "chronyd.service" },
      .programs = { "/usr/sbin/chronyd", "/usr/bin/chronyd" },
      .controls = { "/usr/bin/chronyc", "/usr/sbin/chronyc" },
      .title = "chronyd",
      .synced = { "/var/lib/chrony/chrony.drift", "/var/lib/chrony/drift" } },
    { .name = "ntpsec",
      .units = { "ntpsec.service", "ntp.service" },
      .programs = { "/usr/sbin/ntpd" },
      .sign = "/etc/ntpsec",
      .title = "ntpd",
      .synced = { "/var/lib/ntpsec/ntp.drift" } },
    { .name = "openntpd",
      .units = { "openntpd.service", "ntpd.service" },
      .programs = { "/usr/sbin/ntpd", "/usr/local/sbin/ntpd" },
      .sign = "/etc/openntpd",
      .title = "ntpd",
      .synced = { "/var/lib/openntpd/db/ntpd.drift" } },
    { .name = "ntpd",
      .units = { "ntp.service", "ntpd.service" },
      .programs = { "/usr/sbin/ntpd" },
      .sign = "/var/lib/ntp",
      .title = "ntpd",
      .synced = { "/var/lib/ntp/ntp.drift" } },
};

static bool exists(struct dr_context *context, const char *path, struct stat *ret_stat)
{
    return dr_stat(context->request->root_fd, path, ret_stat) == 0;
}

static const char *first_of(struct dr_context *context, const char *const *paths, size_t most)
{
    struct stat st;

    for (size_t i = 0; i < most && paths[i]; i++)
        if (exists(context, paths[i], &st))
            return paths[i];
    return NULL;
}

/* ---- enabled ---- */

static const char *const unit_folders[] = { "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                            "/usr/lib/systemd/system", "/lib/systemd/system" };

static const char *unit_of(struct dr_context *context, const struct known *known)
{
    struct stat st;

    for (size_t i = 0; i < DR_COUNT(known->units) && known->units[i]; i++)
        for (size_t j = 0; j < DR_COUNT(unit_folders); j++)
            if (exists(context, dr_format(context, "%s/%s", unit_folders[j], known->units[i]), &st))
                return known->units[i];
    return known->units[0];
}

static bool is_masked(struct dr_context *context, const char *unit)
{
    _cleanup_free_ char *target = NULL;

    return dr_read_link(context->request->root_fd, dr_format(context, "/etc/systemd/system/%s", unit), &target) == 0 &&
           strcmp(target, "/dev/null") == 0;
}

/* `systemctl enable` leaves a link in a target's .wants folder. */
static bool is_enabled(struct dr_context *context, const char *unit)
{
    static const char *const targets[] = { "sysinit", "multi-user", "time-sync", "basic" };
    struct stat st;

    for (size_t i = 0; i < DR_COUNT(targets); i++)
        if (exists(context, dr_format(context, "/etc/systemd/system/%s.target.wants/%s", targets[i], unit), &st))
            return true;
    return false;
}

/* ---- running ---- */

static bool has_content(struct dr_context *context, const char *path)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);

    return dr_read_file(context->request->root_fd, path, &text, NULL) == 0 && text.length > 0;
}

/* systemd keeps each service in a control group of its own, which anybody may read. */
static enum dr_running running_by_group(struct dr_context *context, const char *unit)
{
    static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified" };
    struct stat st;
    bool seen = false;

    for (size_t i = 0; i < DR_COUNT(roots); i++) {
        if (!exists(context, dr_format(context, "%s/system.slice", roots[i]), &st))
            continue;
        seen = true;
        if (has_content(context, dr_format(context, "%s/system.slice/%s/cgroup.procs", roots[i], unit)))
            return DR_IS_RUNNING;
    }
    return seen ? DR_NOT_RUNNING : DR_RUNNING_UNKNOWN;
}

static bool read_small(struct dr_context *context, const char *pid, const char *name, struct dr_buffer *text)
{
    dr_buffer_clear(text);
    return dr_read_file(AT_FDCWD, dr_format(context, "%s/%s/%s", context->request->proc, pid, name), text, NULL) == 0;
}

/* Not one that runs in a container of its own (more than one number in NSpid), nor one that leaves the clock alone (chronyd -x). */
static bool keeps_our_clock(struct dr_context *context, const char *pid)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    const char *line = read_small(context, pid, "status", &text) ? strstr(dr_buffer_text(&text), "\nNSpid:") : NULL;

    if (line) {
        line += strlen("\nNSpid:");
        line += strspn(line, " \t");
        line += strspn(line, "0123456789");
        if (*line != '\n')
            return false;
    }
    return !read_small(context, pid, "cmdline", &text) || !memmem(dr_buffer_text(&text), text.length, "\0-x\0", 4);
}

static void mark_running(struct dr_context *context, struct dr_clock *clock, struct dr_time_service *services,
                         const char *pid)
{
    _cleanup_buffer_ struct dr_buffer title = DR_BUFFER(MOST_TEXT);

    if (!read_small(context, pid, "comm", &title))
        return;
    for (size_t i = 0; i < clock->service_count; i++)
        for (size_t j = 0; j < DR_COUNT(known_services); j++)
            if (known_services[j].name == services[i].name &&
                strncmp(dr_buffer_text(&title), known_services[j].title, strlen(known_services[j].title)) == 0 &&
                strlen(known_services[j].title) + 1 == title.length && keeps_our_clock(context, pid))
                services[i].running = DR_IS_RUNNING;
}

/* Where systemd is not at work: the titles of all processes, which may be hidden from ordinary users (hidepid). */
static void run_through_processes(struct dr_context *context, struct dr_clock *clock, struct dr_time_service *services)
{
    _cleanup_closedir_ DIR *dir = opendir(context->request->proc);
    const struct dirent *entry;
    struct stat st;

    if (!dir || dr_stat(AT_FDCWD, dr_format(context, "%s/1/comm", context->request->proc), &st) < 0)
        return;
    for (size_t i = 0; i < clock->service_count; i++)
        services[i].running = DR_NOT_RUNNING;
    for (unsigned i = 0; i < MOST_PROCESSES && (entry = readdir(dir)); i++)
        if (isdigit((unsigned char)entry->d_name[0]))
            mark_running(context, clock, services, entry->d_name);
}

/* A file as old as the program is none: timesyncd makes its own when it starts, dated like itself (timesyncd.c, load_clock_timestamp). */
static int64_t synced_ms(struct dr_context *context, const struct known *known, const char *program)
{
    struct stat st, made;

    for (size_t i = 0; i < DR_COUNT(known->synced) && known->synced[i]; i++)
        if (exists(context, known->synced[i], &st))
            return exists(context, program, &made) && st.st_mtim.tv_sec > made.st_mtim.tv_sec
                       ? (int64_t)st.st_mtim.tv_sec * 1000
                       : 0;
    return 0;
}

static bool fill(struct dr_context *context, const struct known *known, struct dr_time_service *ret_service)
{
    struct stat st;

    *ret_service = (struct dr_time_service){ .name = known->name };
    ret_service->program = first_of(context, known->programs, DR_COUNT(known->programs));
    if (!ret_service->program || (known->sign && !exists(context, known->sign, &st)))
        return false;
    ret_service->control = first_of(context, known->controls, DR_COUNT(known->controls));
    ret_service->unit = unit_of(context, known);
    ret_service->masked = is_masked(context, ret_service->unit);
    ret_service->enabled = !ret_service->masked && is_enabled(context, ret_service->unit);
    ret_service->synced_ms = synced_ms(context, known, ret_service->program);
    return true;
}

static const char *const systemctls[] = { "/usr/bin/systemctl", "/bin/systemctl" };

void dr_clock_services(struct dr_context *context, struct dr_clock *clock)
{
    struct dr_time_service *services = dr_alloc(context, DR_COUNT(known_services) * sizeof(*services));
    struct stat st;

    clock->services = services;
    clock->systemd = exists(context, "/run/systemd/system", &st);
    clock->systemctl = first_of(context, systemctls, DR_COUNT(systemctls));
    for (size_t i = 0; i < DR_COUNT(known_services); i++)
        clock->service_count += fill(context, &known_services[i], &services[clock->service_count]);
    if (context->request->root || clock->service_count == 0 || dr_target(context)->in_container)
        return; /* what runs in a container says nothing of who keeps the host's clock */
    for (size_t i = 0; i < clock->service_count; i++)
        services[i].running = clock->systemd ? running_by_group(context, services[i].unit) : DR_RUNNING_UNKNOWN;
    if (!clock->systemd)
        run_through_processes(context, clock, services);
}
