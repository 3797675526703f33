// A folder of Nornir's: hosts.yaml, and behind lines of % groups.yaml and defaults.yaml. A host has
// what its groups and the defaults say.
#include "common/inventory_file.h"
#include "tests/fuzz/fuzz.h"

static void split(const char *text, size_t len, struct inventory_file *f) {
    for (int i = 0; i < INVENTORY_FILE_PARTS && text != NULL; i++) {
        const char *end = i + 1 < INVENTORY_FILE_PARTS ? memmem(text, len, "\n%\n", 3) : NULL;
        const size_t part = end == NULL ? len : (size_t)(end - text);
        buf_add(&f->texts[i], text, part);
        f->has[i] = true;
        len -= end == NULL ? part : part + 3;
        text = end == NULL ? NULL : end + 3;
    }
}

static void check_hosts(const struct inventory *inventory) {
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host *host = &inventory->hosts[i];
        assert(host->name[0] != '\0' && strlen(host->name) <= INVENTORY_NAME_MAX);
        assert(strpbrk(host->name, "\r\n\t ") == NULL && host->address[0] != '\0');
        assert(host->platform < inventory->platforms.count && host->rack != NULL);
        assert(host->platform != 0 || host->port > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct inventory_file f = {.path = "inventory", .folder = true};
    struct inventory *inventory = NULL;
    struct error err = {0};
    mem_init();
    if (size == 0) return 0;
    split((const char *)data, size, &f);
    const int rc = inventory_file_parse(&f, &inventory, &err);
    assert((rc == 0) == (inventory != NULL));
    if (rc == 0)
        check_hosts(inventory);
    else
        assert(rc == ERROR_INPUT && strncmp(err.text, "inventory", 9) == 0);
    inventory_unref(inventory);
    inventory_file_deinit(&f);
    return 0;
}
