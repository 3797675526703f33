#include "simulator/network_source.h"

#include "simulator/network_file.h"
#include "simulator/network_inventory.h"

// Seals the network, with the policy that is given.
static int load_policy(struct network *n, const char *path, struct error *err) {
    struct policy policy;
    int rc = path == NULL ? 0 : policy_load(&policy, path, err);
    if (rc == 0 && path != NULL) network_set_policy(n, &policy);
    if (rc == 0) rc = network_seal(n, err);
    return rc;
}

int network_source_load(const struct network_source *source, struct network *n,
                        struct fault_list *faults, struct error *err) {
    int rc = 0;
    network_init(n);
    if (source->network != NULL && source->inventory != NULL)
        rc = error_set(err, "--network and --inventory both say what the network is: give one (a "
                            "network file may name an inventory)");
    else if (source->network != NULL)
        rc = network_file_load(n, faults, source->network, err);
    else if (source->inventory != NULL)
        rc = network_inventory_load(n, source->inventory, err);
    if (rc == 0) rc = load_policy(n, source->policy, err);
    faults->known = (struct fault_known){.names = n->pairs.names, .count = n->pairs.names_len};
    return rc;
}
