#include "facts/clock_host.h"

#include "api/target.h"
#include "base/error.h"
#include "base/file.h"
#include "facts/context.h"

#include <ctype.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

enum { MOST_TEXT = 4096, US_PER_MS = 1000, ASLEEP_MS = 1000 };

/* A small file of one line, "" when it cannot be read. */
static const char *line_of(struct dr_context *context, const char *path)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);

    if (dr_read_file(context->request->root_fd, path, &text, NULL) < 0)
        return "";
    const char *line = dr_buffer_text(&text);

    return dr_strndup(context, line, strcspn(line, "\n"));
}

static void ask_kernel(struct dr_context *context, struct dr_kernel_clock *kernel)
{
    struct timex clock = { .modes = 0 }; /* no mode: only read */

    if (adjtimex(&clock) < 0) {
        kernel->fact.state = DR_UNKNOWN;
        kernel->fact.reason = dr_format(context, "the kernel does not say how its clock is kept: %s", dr_errno_text(-errno));
        return;
    }
    kernel->fact.state = DR_KNOWN;
    kernel->synchronised = !(clock.status & STA_UNSYNC);
    kernel->error_ms = clock.maxerror / US_PER_MS;
    kernel->tai_s = clock.tai;
}

static int64_t milliseconds(clockid_t id)
{
    struct timespec now = { 0 };

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* CLOCK_BOOTTIME goes on while the system sleeps, CLOCK_MONOTONIC does not. */
static int64_t suspended_ms(void)
{
    int64_t asleep = milliseconds(CLOCK_BOOTTIME) - milliseconds(CLOCK_MONOTONIC);

    return asleep < ASLEEP_MS ? 0 : asleep;
}

static const struct {
    const char *text; /* in the vendor's or the product's name */
    const char *name;
} machines[] = {
    { "QEMU", "QEMU" },
    { "KVM", "KVM" },
    { "VMware", "VMware" },
    { "innotek", "VirtualBox" },
    { "VirtualBox", "VirtualBox" },
    { "Xen", "Xen" },
    { "Parallels", "Parallels" },
    { "Virtual Machine", "Hyper-V" }, /* product of Microsoft Corporation */
    { "Amazon EC2", "Amazon EC2" },
    { "Google Compute", "Google Compute Engine" },
    { "DigitalOcean", "DigitalOcean" },
    { "Hetzner", "Hetzner Cloud" },
    { "OpenStack", "OpenStack" },
    { "BHYVE", "bhyve" },
    { "Apple Virtualization", "Apple Virtualization" },
};

static const char *machine_of(struct dr_context *context)
{
    const char *vendor = line_of(context, "/sys/class/dmi/id/sys_vendor");
    const char *product = line_of(context, "/sys/class/dmi/id/product_name");

    for (size_t i = 0; i < DR_COUNT(machines); i++)
        if (strstr(vendor, machines[i].text) || strstr(product, machines[i].text))
            return machines[i].name;
    return *line_of(context, "/sys/hypervisor/type") ? "a hypervisor" : NULL;
}

static void read_rtc(struct dr_context *context, struct dr_clock *clock)
{
    const char *text = line_of(context, "/sys/class/rtc/rtc0/since_epoch");
    long long seconds = strtoll(text, NULL, 10);

    if (!isdigit((unsigned char)*text) || seconds <= 0)
        return;
    int64_t offset = seconds * 1000 - milliseconds(CLOCK_REALTIME);

    clock->rtc_known = true;
    clock->rtc_offset_ms = offset / 1000 * 1000;
}

void dr_clock_host(struct dr_context *context, struct dr_clock *clock)
{
    clock->suspended_ms = -1;
    if (context->request->root) {
        clock->kernel.fact.state = DR_ABSENT;
        clock->kernel.fact.reason = "the clock of another system cannot be seen from here (--root)";
        return;
    }
    ask_kernel(context, &clock->kernel);
    clock->container = dr_target(context)->in_container || *line_of(context, "/run/systemd/container");
    clock->wsl = strcasestr(line_of(context, "/proc/sys/kernel/osrelease"), "microsoft") != NULL;
    clock->suspended_ms = suspended_ms();
    clock->machine = machine_of(context);
    /* On hardware it is a worse clock than the system's, and slow to read. */
    if ((clock->machine || clock->wsl) && !clock->container)
        read_rtc(context, clock);
}
