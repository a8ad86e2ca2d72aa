/* Compose files (proxy_memory.h: several in one input): whatever stands in them, what is found lies in a file, and nothing takes long. */
#include "../unit/proxy_memory.h"
#include "format/compose.h"
#include "fuzz.h"

#include <errno.h>

enum { ARENA = 256 << 20 };

static void check(struct compose_project *project)
{
    struct compose_service *services;
    size_t count;

    if (dr_compose_services(project, &services, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct compose_service *service = &services[i];
        const struct traefik_node *node;
        struct compose_text value;
        struct dr_source source;

        PROMISE(service->name && service->words);
        for (size_t p = 0; p < service->port_count; p++)
            PROMISE(service->ports[p].host && service->ports[p].node->end <= service->ports[p].node->file->length);
        for (size_t w = 0; service->words[w]; w++)
            PROMISE(service->word_nodes[w]->file);
        (void)dr_compose_flag(service, "--bind", &node);
        if (dr_compose_variable(project, service, "A", &value, &source))
            PROMISE(value.text && source.path && source.line > 0);
        (void)dr_compose_subnets(project, service);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(ARENA);
    struct memory memory = { .arena = &arena };
    struct dr_proxy_loader loader = memory_loader(&memory);
    struct dr_proxy_gathering gathering = { .loader = &loader };
    struct traefik_model model = { .gathering = &gathering, .arena = &arena };
    struct compose_project *project = dr_arena_alloc(&arena, sizeof(*project));

    memory_split(&memory, (const char *)data, size);
    if (project && dr_compose_load(&model, MEMORY_FOLDER "compose.yaml", NULL, project) == 0)
        check(project);
    for (size_t i = 0; i < gathering.fault_count; i++)
        PROMISE(gathering.faults[i].text);
    return 0;
}
