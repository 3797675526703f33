// The body of POST /upgrade-os/, up to the hosts that it selects.
#include "orchestrator/request.h"
#include "common/acmeos.h"
#include "common/http_route.h"
#include "common/inventory_parse.h"
#include "orchestrator/retry.h"
#include "tests/fuzz/fuzz.h"

static const char network[] =
    "{\"earth\": {\"leaf00.earth\": {\"platform\": \"acmeos\", \"dev_type\": \"leaf\", \"rack\": "
    "\"100\", \"hostname\": \"127.0.0.1\", \"port\": 8300}}, \"mars\": {\"spine00.mars\": "
    "{\"platform\": \"acmeos\", \"dev_type\": \"spine\", \"rack\": \"20\", \"hostname\": "
    "\"127.0.0.1\", \"port\": 8300}}, \"venus\": {}}";

// An error becomes an answer, whatever it quotes.
static void check_problem(const struct error *err) {
    assert(err->text[0] != '\0');
    char *problem = http_problem_json(400, err->field, err->text);
    fuzz_is_json(problem, strlen(problem));
    free(problem);
}

static void check_request(const struct task_request *request) {
    struct inventory *inventory = NULL;
    struct selection selection;
    struct error err = {0};
    assert(acmeos_version_valid(request->args.version));
    cJSON *document = fuzz_json_of(network, sizeof network - 1);
    int rc = inventory_parse(document, &inventory, &err);
    assert(rc == 0);
    cJSON_Delete(document);
    rc = inventory_select(inventory, &request->sites, &request->dev_types, &selection, &err);
    if (rc == 0) {
        assert(selection.count <= inventory->count);
        bool none = (!request->sites.all && request->sites.count == 0) ||
                    (!request->dev_types.all && request->dev_types.count == 0);
        assert(!none || selection.count == 0);
        size_t before = selection.count;
        if (inventory_narrow(inventory, &request->hosts, &selection, &err) != 0)
            check_problem(&err);
        assert(selection.count <= before && (!request->hosts.all || selection.count == before));
        selection_deinit(&selection);
    } else {
        check_problem(&err);
    }
    inventory_unref(inventory);
}

// The same body for POST /jobs/{id}/retry/.
static void check_retry(const cJSON *body) {
    unsigned states = 0;
    struct error err = {0};
    if (retry_parse_states(body, &states, &err) != 0)
        check_problem(&err);
    else
        assert(states != 0 && (states & ~(1U << HOST_FAILED | 1U << HOST_SKIPPED)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct task_request request;
    struct error err = {0};
    cJSON *body = NULL;
    mem_init();
    if (json_parse((const char *)data, size, &body, &err) != 0) {
        check_problem(&err);
        return 0;
    }
    if (request_parse(&task_upgrade_os, body, &request, &err) == 0) {
        check_request(&request);
        request_deinit(&request);
    } else {
        check_problem(&err);
    }
    check_retry(body);
    cJSON_Delete(body);
    return 0;
}
