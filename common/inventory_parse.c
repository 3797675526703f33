#include "common/inventory_parse.h"

#include "common/inventory_acme.h"
#include "common/inventory_ansible.h"
#include "common/json.h"

// What `ansible-inventory --list --yaml` and files for Ansible look like.
static bool is_another_ansible(const cJSON *document) {
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(document, "all");
    return cJSON_IsObject(all) && (cJSON_HasObjectItem(all, "children") ||
                                   cJSON_IsArray(cJSON_GetObjectItem(all, "hosts")));
}

static int parse(const cJSON *document, bool unaddressed, struct inventory **out,
                 struct error *err) {
    struct inventory_builder b;
    if (!cJSON_IsObject(document))
        return error_set(err, "expected an object of sites, not %s", json_type_name(document));
    bool ansible = inventory_is_ansible(document);
    if (!ansible && is_another_ansible(document))
        return error_set(err, "an Ansible inventory without _meta.hostvars: give what "
                              "`ansible-inventory --list` prints, as JSON");
    inventory_builder_init(&b);
    b.unaddressed = unaddressed;
    if (ansible)
        inventory_ansible_read(&b, document);
    else if (inventory_is_nornir(document))
        inventory_nornir_read(&b, &(struct inventory_nornir){.hosts = document});
    else
        inventory_acme_read(&b, document);
    return inventory_builder_end(&b, out, err);
}

int inventory_parse(const cJSON *document, struct inventory **out, struct error *err) {
    return parse(document, false, out, err);
}

int inventory_parse_unaddressed(const cJSON *document, struct inventory **out, struct error *err) {
    return parse(document, true, out, err);
}

int inventory_parse_folder(const struct inventory_nornir *documents, bool unaddressed,
                           struct inventory **out, struct error *err) {
    struct inventory_builder b;
    inventory_builder_init(&b);
    b.unaddressed = unaddressed;
    inventory_nornir_read(&b, documents);
    return inventory_builder_end(&b, out, err);
}
