#include "check.h"

static const struct dr_cause by_gone_program[] = {
    { "service-unit/program-gone", DR_ANY_SUBJECT },
    { "service-unit/entry-gone", DR_ANY_SUBJECT },
    { "service-unit/environment-file-gone", DR_ANY_SUBJECT },
    { "service-unit/preload-gone", DR_ANY_SUBJECT },
    { 0 },
};

#define REINSTALL "OpenClaw writes its unit anew and restarts the gateway"

const struct dr_problem dr_service_unit_problems[DR_UNIT_PROBLEMS] = {
    [DR_UNIT_PROGRAM_GONE] = {
        .code = "program-gone",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{unit} starts {program}, which is gone: the service cannot start.",
        .advice = "openclaw gateway install --force",
        .fixer = "service-unit-reinstall",
        .why = REINSTALL,
    },
    [DR_UNIT_ENTRY_GONE] = {
        .code = "entry-gone",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{unit} starts OpenClaw at {entry}, which is gone (moved or removed by an update): the service ends with "
                   "MODULE_NOT_FOUND, again and again.",
        .advice = "openclaw gateway install --force",
        .fixer = "service-unit-reinstall",
        .why = REINSTALL,
    },
    [DR_UNIT_ENVIRONMENT_FILE_GONE] = {
        .code = "environment-file-gone",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "{unit} wants the file {file}, which is not there: systemd does not start the service.",
        .advice = "Put the file back, or write EnvironmentFile=-{file} in {path} when it may be missing; then {systemctl} "
                  "daemon-reload",
    },
    [DR_UNIT_PRELOAD_GONE] = {
        .code = "preload-gone",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "NODE_OPTIONS of {unit} loads {file}, which is not there: Node ends before OpenClaw begins.",
        .advice = "Take it out of NODE_OPTIONS in {path}, then {systemctl} daemon-reload and {systemctl} restart {unit}",
    },
    [DR_UNIT_MASKED] = {
        .code = "masked",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "{unit} is masked ({path} leads to /dev/null): nothing can start it.",
        .advice = "When it shall run again: {systemctl} unmask {unit}, then openclaw gateway install --force",
    },
    [DR_UNIT_SEVERAL] = {
        .code = "several-services",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "{unit} and {other} both run a gateway {on}: the second to start finds it taken, and is started again and "
                   "again.",
        .advice = "Keep one. To end the other: {systemctl} disable --now {unit}",
    },
    [DR_UNIT_NOT_ENABLED] = {
        .code = "not-enabled",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "{unit} is installed but not enabled: after a restart of this machine the gateway does not come back.",
        .advice = "{systemctl} enable {unit}",
    },
    [DR_UNIT_NOT_RUNNING] = {
        .code = "not-running",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{unit} is enabled, and not running. Either somebody stopped it, or it failed so often that systemd gave up "
                   "(\"Start request repeated too quickly\"); from the files alone the two look alike.",
        .advice = "{journalctl} -u {unit} -n 50 says why; then {systemctl} reset-failed {unit} and {systemctl} start {unit}",
        .fixer = "service-reset-failed",
        .why = "it starts the gateway",
        .follows = by_gone_program,
    },
    [DR_UNIT_LINGER_OFF] = {
        .code = "linger-off",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{unit} is a service of {user}, and {user} may not linger: the gateway ends with {user}'s last login, and does "
                   "not start before the next.",
        .advice = "sudo loginctl enable-linger {user}",
        .fixer = "service-linger-enable",
        .why = "all enabled services of this user then run without a login",
    },
    [DR_UNIT_OTHER_RELEASE] = {
        .code = "other-release",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{unit} starts OpenClaw {started} ({folder}); the command line is {installed}. Two releases share one state.",
        .advice = "openclaw gateway install --force",
        .fixer = "service-unit-reinstall",
        .why = REINSTALL ", of another release than now",
    },
    [DR_UNIT_OLDER] = {
        .code = "older-unit",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "{unit} was written by OpenClaw {version} and starts {started}: what newer releases changed in the unit (how it "
                   "is stopped and started again) is not in it.",
        .advice = "openclaw gateway install --force",
    },
    [DR_UNIT_PORT_DIFFERS] = {
        .code = "port-differs",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{unit} starts the gateway on port {port}, but the configuration says {configured}: clients look for it there.",
        .advice = "openclaw gateway install --force, or set gateway.port to {port}",
        .fixer = "service-unit-reinstall",
        .why = REINSTALL ", on the configured port",
    },
    [DR_UNIT_PROXY_CAPTURED] = {
        .code = "proxy-captured",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{unit} sets {variable}, and NO_PROXY does not name 127.0.0.1: the gateway asks the proxy also for what is on this "
                   "machine (connections to itself close with 1006).",
        .advice = "Add 127.0.0.1,localhost,::1 to NO_PROXY of the service, then {systemctl} daemon-reload and {systemctl} restart "
                  "{unit}",
        .fixer = "service-dropin-write",
        .why = "the gateway must be restarted for it",
    },
    [DR_UNIT_DEBUGGER] = {
        .code = "debugger",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "NODE_OPTIONS of {unit} opens Node's debugger: whoever reaches its port runs any code as the gateway.",
        .advice = "Take --inspect out of NODE_OPTIONS in {path}, then {systemctl} daemon-reload and {systemctl} restart {unit}",
    },
    [DR_UNIT_TOKEN_IN_UNIT] = {
        .code = "token-in-unit",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_UNSAFE,
        .message = "{variable} stands in {unit} as well as in the configuration. A new token in the configuration does not reach the "
                   "unit: then the gateway's own calls are refused (\"device token mismatch\").",
        .advice = "Take the line out of {path}, then {systemctl} daemon-reload and {systemctl} restart {unit}",
        .fixer = "service-dropin-write",
        .why = "the gateway must be restarted for it",
    },
    [DR_UNIT_BACKUP_TOKEN] = {
        .code = "backup-holds-token",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .safety = DR_SAFE,
        .message = "{path}, an old unit, holds {variable}, and other users of this machine can read it (mode {mode}).",
        .advice = "chmod 600 {path}, or remove it; change the token when others have used this machine",
        .fixer = "service-backup-close",
    },
    [DR_UNIT_COMMAND_OVERRIDDEN] = {
        .code = "command-overridden",
        .severity = DR_INFO,
        .confidence = DR_CERTAIN,
        .message = "What {unit} starts stands in the drop-in {path}: `openclaw gateway install` and updates do not change it.",
        .advice = "After an update, look whether {path} still names the right files.",
    },
};
