/*
 * Does the gateway's systemd service start what is installed, and does it stay up? Judged from files alone. Sources:
 * facts/failure-modes.md rows 1, 5, 15, 22, 28, 61, 62, 63, openclaw-2026.2.md section 11, openclaw-2026.9.md section 6.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_PORT = 18789, OTHERS_READ = 0044 };

struct dr_finding *dr_service_unit_report(struct dr_unit_look *look, enum dr_unit_problem problem,
                                          const struct dr_source *subject)
{
    const struct dr_service *service = look->service;
    const struct dr_source unit = { .path = service->path };
    struct dr_finding *finding = dr_report(look->findings, &dr_service_unit_problems[problem], subject ? subject : &unit);

    dr_finding_text(finding, "unit", service->name);
    dr_finding_word(finding, "systemctl", service->user_manager ? "systemctl --user" : "sudo systemctl");
    dr_finding_word(finding, "journalctl", service->user_manager ? "journalctl --user" : "sudo journalctl");
    dr_finding_argument(finding, "service", service->path);
    return finding;
}

/* A question that was not asked is no gap. */
static void say_unknown(const struct dr_unit_look *look, const struct dr_fact *fact)
{
    if (fact->state == DR_UNKNOWN)
        (void)dr_unknown_fact(look->findings, fact);
}

/* --- what it starts --------------------------------------------------------------------------------------------------- */

/* True when the service cannot start at all, whatever else is said of it. */
static bool look_at_command(struct dr_unit_look *look)
{
    const struct dr_service *service = look->service;
    const struct dr_service_state *state = &look->state;
    bool gone = false;

    if (state->program.state == DR_ABSENT) {
        dr_finding_path(dr_service_unit_report(look, DR_UNIT_PROGRAM_GONE, &service->command_source), "program",
                        state->program.source.path);
        gone = true;
    } else if (state->entry.state == DR_ABSENT) {
        dr_finding_path(dr_service_unit_report(look, DR_UNIT_ENTRY_GONE, &service->command_source), "entry",
                        state->entry.source.path);
        gone = true;
    }
    say_unknown(look, &state->program);
    say_unknown(look, &state->entry);
    for (size_t i = 0; service->gone_files[i]; i++) {
        dr_finding_path(dr_service_unit_report(look, DR_UNIT_ENVIRONMENT_FILE_GONE, NULL), "file", service->gone_files[i]);
        gone = true;
    }
    if (state->preload.state == DR_ABSENT) {
        const struct dr_service_variable *options = dr_service_get(service, "NODE_OPTIONS");

        dr_finding_path(dr_service_unit_report(look, DR_UNIT_PRELOAD_GONE,
                                               &(struct dr_source){ .path = options->path, .line = options->line }),
                        "file", state->preload.source.path);
        gone = true;
    }
    if (service->command_in_drop_in)
        (void)dr_service_unit_report(look, DR_UNIT_COMMAND_OVERRIDDEN, &service->command_source);
    return gone;
}

/* --- which release ---------------------------------------------------------------------------------------------------- */

static const struct dr_install *on_path(struct dr_context *context)
{
    const struct dr_installs *installs = dr_installs(context);

    for (size_t i = 0; i < installs->count; i++)
        if (installs->list[i].found_by && strcmp(installs->list[i].found_by, "PATH") == 0)
            return &installs->list[i];
    return NULL;
}

static void look_at_release(struct dr_unit_look *look)
{
    const struct dr_service *service = look->service;
    const char *started = look->state.package_version;
    const struct dr_install *command_line = on_path(look->context);
    struct dr_finding *finding;

    if (started && command_line && command_line->version && strcmp(started, command_line->version) != 0) {
        finding = dr_service_unit_report(look, DR_UNIT_OTHER_RELEASE, &service->command_source);
        dr_finding_text(finding, "started", started);
        dr_finding_path(finding, "folder", look->state.package_dir);
        dr_finding_text(finding, "installed", command_line->version);
    } else if (started && service->version && strcmp(started, service->version) != 0) {
        finding = dr_service_unit_report(look, DR_UNIT_OLDER, NULL);
        dr_finding_text(finding, "version", service->version);
        dr_finding_text(finding, "started", started);
    }
}

/* --- which port ------------------------------------------------------------------------------------------------------- */

static void look_at_port(struct dr_unit_look *look)
{
    const struct dr_config *config = dr_config(look->context);
    const struct dr_service *service = look->service;
    struct dr_config_value value;
    unsigned configured = DEFAULT_PORT;

    if (service->port == 0 || dr_unknown_fact(look->findings, &config->fact))
        return;
    int r = dr_config_lookup(config, "gateway.port", &value);

    if (r < 0 || (r > 0 && value.type != DR_VALUE_NUMBER))
        return; /* another check's question */
    if (r > 0)
        configured = (unsigned)value.number;
    if (configured == service->port)
        return;
    struct dr_finding *finding = dr_service_unit_report(look, DR_UNIT_PORT_DIFFERS, &service->port_source);

    dr_finding_number(finding, "port", service->port);
    dr_finding_number(finding, "configured", configured);
}

/* --- does it run ------------------------------------------------------------------------------------------------------ */

static void look_at_life(struct dr_unit_look *look)
{
    const struct dr_service *service = look->service;
    const struct dr_service_state *state = &look->state;
    bool enabled = state->enabled.state == DR_KNOWN;

    if (state->enabled.state == DR_ABSENT)
        (void)dr_service_unit_report(look, DR_UNIT_NOT_ENABLED, NULL);
    say_unknown(look, &state->enabled);
    /* A gateway that runs all the same was started by other means: its own checks speak of it. */
    if (enabled && service->restarts && state->running.state == DR_ABSENT &&
        dr_gateway(look->context)->fact.state == DR_ABSENT)
        (void)dr_service_unit_report(look, DR_UNIT_NOT_RUNNING, NULL);
}

static void look_at_linger(struct dr_unit_look *look)
{
    const struct dr_fact *linger = &dr_systemd(look->context)->linger;
    const struct dr_target *target = dr_target(look->context);

    if (!look->service->user_manager || target->uid == 0 || dr_unknown_fact(look->findings, linger) ||
        linger->state == DR_KNOWN)
        return;
    dr_finding_text(dr_service_unit_report(look, DR_UNIT_LINGER_OFF, NULL), "user", target->user);
}

/* ------------------------------------------------------------------------------------------------------------------------ */

static void look_at_service(struct dr_unit_look *look)
{
    const struct dr_service *service = look->service;

    if (service->masked) {
        (void)dr_service_unit_report(look, DR_UNIT_MASKED, NULL);
        return;
    }
    for (size_t i = 0; service->not_read[i]; i++)
        if (!service->gone_files[0])
            dr_could_not_tell(look->findings, &(struct dr_source){ .path = service->path }, "%s", service->not_read[i]);
    look->state = dr_service_state(look->context, service);
    (void)look_at_command(look);
    look_at_release(look);
    look_at_port(look);
    look_at_life(look);
    look_at_linger(look);
    dr_service_unit_environment(look);
}

static size_t look_at_backups(struct dr_context *context, struct dr_findings *findings)
{
    const struct dr_service_backups *backups = dr_service_backups(context);
    size_t found = 0;

    for (size_t i = 0; i < backups->count; i++) {
        const struct dr_service_backup *backup = &backups->list[i];
        char mode[8];

        if ((backup->identity.mode & OTHERS_READ) == 0 || backup->by_link)
            continue;
        struct dr_finding *finding = dr_report(findings, &dr_service_unit_problems[DR_UNIT_BACKUP_TOKEN],
                                               &(struct dr_source){ .path = backup->path });

        (void)snprintf(mode, sizeof(mode), "%04o", backup->identity.mode & 07777);
        dr_finding_text(finding, "mode", mode);
        dr_finding_text(finding, "variable", backup->variable);
        dr_finding_secret(finding, "value", backup->value);
        dr_finding_argument(finding, "path", backup->path);
        found++;
    }
    return found;
}

static int run(struct dr_context *context, void *state, struct dr_findings *findings)
{
    const struct dr_services *services = dr_services(context);
    const struct dr_systemd *systemd = dr_systemd(context);
    size_t looked = look_at_backups(context, findings);

    (void)state;
    if (systemd->fact.state == DR_ABSENT)
        return looked > 0 ? 0 : dr_not_applicable(findings, "systemd does not run here: no unit starts anything");
    for (size_t i = 0; i < services->count; i++) {
        struct dr_unit_look look = { .context = context, .findings = findings, .service = &services->list[i] };

        if (!look.service->gateway || !look.service->ours)
            continue;
        look_at_service(&look);
        looked++;
    }
    if (looked == 0)
        return dr_not_applicable(findings, "no systemd service runs a gateway on this state directory");
    dr_service_unit_together(context, findings);
    return 0;
}

static const char *const tags[] = { "service", "offline", NULL };

const struct dr_check dr_check_service_unit = {
    .id = "service-unit",
    .title = "The gateway's service starts what is installed, and stays up",
    .tags = tags,
    .problems = dr_service_unit_problems,
    .problem_count = DR_UNIT_PROBLEMS,
    .run = run,
};
