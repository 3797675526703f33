// A network file, as text: what the simulator's --network reads.
#include "simulator/listing.h"
#include "simulator/network_file.h"
#include "simulator/network_groups.h"
#include "tests/fuzz/fuzz.h"

// Every device is found by its own name, and its groups are groups of the network.
static void check_device(const struct network *n, uint32_t device) {
    char host[NETWORK_HOST_MAX];
    uint32_t found;
    network_host(n, device, host);
    assert(network_find(n, host, &found) && found == device);
    struct network_group_list groups = network_groups_of(n, device);
    for (size_t i = 0; i < groups.count; i++)
        assert(groups.list[i] < n->groups.count);
}

// All that the admin API tells of it is JSON.
static void check_listing(const struct network *n) {
    static const char *const address[] = {"127.0.0.1"};
    const struct listing_addresses at = {address, 1, 8300, false};
    const struct listing_filter all = {0};
    struct buf text = {0};
    if (n->devices > 1000) return;
    listing_write(n, &all, &at, &text);
    fuzz_is_json(text.data, text.len);
    buf_clear(&text);
    struct referee referee;
    referee_init(&referee, n);
    referee_write(&referee, true, &text);
    fuzz_is_json(text.data, text.len);
    referee_deinit(&referee);
    buf_deinit(&text);
}

static void check_network(const struct network *n, const struct fault_list *faults) {
    enum { LOOKED_AT = 300 };
    assert(n->devices <= NETWORK_DEVICES_MAX);
    for (uint32_t i = 0; i < n->devices && i < LOOKED_AT; i++) {
        check_device(n, i);
        check_device(n, n->devices - 1 - i);
    }
    for (size_t i = 0; i < n->overrides_len; i++)
        assert(network_override_of(n, n->overrides[i].device) == &n->overrides[i]);
    for (int i = 0; i < OPERATION_COUNT; i++)
        assert(n->latency[i].low_us <= n->latency[i].high_us);
    check_listing(n);
    struct buf text = {0};
    fault_write(faults, 0, &text);
    fuzz_is_json(text.data, text.len);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct network n;
    struct fault_list faults = {0};
    struct error err = {0};
    mem_init();
    network_init(&n);
    int rc = network_file_parse(&n, &faults, "network.yaml", (const char *)data, size, &err);
    if (rc == 0)
        check_network(&n, &faults);
    else
        assert(rc == ERROR_INPUT && strncmp(err.text, "network.yaml:", 13) == 0);
    fault_deinit(&faults);
    network_deinit(&n);
    return 0;
}
