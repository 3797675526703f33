// The image of a job, as a store may give it back. Whatever the bytes are, they get the checksum
// that they would have had.
#include "orchestrator/job_image.h"
#include "tests/fuzz/fuzz.h"

static void check_hosts(const struct job_image *image) {
    const struct inventory *inventory = image->inventory;
    for (size_t i = 0; i < inventory->count; i++) {
        const struct host *host = &inventory->hosts[i];
        assert(host->name[0] != '\0' && host->address[0] != '\0' && host->rack != NULL);
        assert(host->platform < inventory->platforms.count);
        assert(host->site < inventory->sites.count || host->site == INVENTORY_NO_NAME);
        assert(host->dev_type < inventory->dev_types.count || host->dev_type == INVENTORY_NO_NAME);
        assert(host->platform != 0 || host->dev_type != INVENTORY_NO_NAME);
    }
    for (size_t i = 0; i < image->selection.count; i++) {
        assert(image->selection.hosts[i] < inventory->count);
        assert(i == 0 || image->selection.hosts[i] > image->selection.hosts[i - 1]);
    }
}

static void check_groups(const struct job_image *image) {
    const struct grouping *g = &image->grouping;
    size_t hosts = 0;
    for (size_t c = 0; c < g->cohorts_count; c++) {
        const uint32_t *needs = cohort_needs(g, &g->cohorts[c]);
        assert(g->cohorts[c].count > 0 && g->cohorts[c].first == hosts);
        assert(g->cohorts[c].needs_count > 0);
        assert(g->constraints[need_constraint(needs[0])].redundancy);
        for (uint32_t i = 0; i < g->cohorts[c].needs_count; i++)
            assert(need_constraint(needs[i]) < g->count);
        hosts += g->cohorts[c].count;
    }
    assert(hosts == image->selection.count && g->hosts == hosts);
    for (size_t i = 0; i < g->count; i++) {
        const struct constraint *constraint = &g->constraints[i];
        assert(constraint->limit > 0 && constraint->cohorts_count > 0);
        assert(constraint->key != NULL && constraint->name != NULL);
        for (uint32_t o = 0; o < constraint->others_count; o++)
            assert(g->others[constraint->others + o] < image->inventory->count);
    }
}

static struct buf written(const struct job_image *image) {
    struct buf out = {0};
    job_image_write(&out, image->inventory, &image->selection, &image->grouping, image->policy);
    return out;
}

// What was read is written in one way only, and that is read as the same.
static void check_round_trip(const struct job_image *image) {
    struct job_image again;
    struct error err;
    struct buf once = written(image);
    int rc = job_image_read(once.data, once.len, &again, &err);
    assert(rc == 0);
    struct buf twice = written(&again);
    assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    job_image_deinit(&again);
    buf_deinit(&once);
    buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct job_image image;
    struct error err = {0};
    char *bytes = mem_alloc(size);
    if (size > 0) memcpy(bytes, data, size);
    job_image_seal(bytes, size);
    int rc = job_image_read(bytes, size, &image, &err);
    free(bytes);
    if (rc == 0) {
        check_hosts(&image);
        check_groups(&image);
        check_round_trip(&image);
        job_image_deinit(&image);
    } else {
        assert(rc == ERROR_INPUT && err.text[0] != '\0');
    }
    return 0;
}
