#include "orchestrator/job_look_up.h"

#include "common/policy_hash.h"
#include "orchestrator/job_difference.h"
#include "orchestrator/select.h"
#include "orchestrator/shards.h"

#include <stdlib.h>
#include <string.h>

static int make_image(const struct job *job, const struct policy *policy,
                      struct inventory *inventory, struct selection *selection, struct buf *image,
                      struct error *err) {
    struct grouping grouping;
    int rc =
        select_from_text(job->task, job->request, policy, inventory, selection, &grouping, err);
    if (rc != 0) return rc;
    job_image_write(image, inventory, selection, &grouping, policy_hash(policy));
    grouping_deinit(&grouping);
    return 0;
}

// A host that the job does not name may tie its hosts to others: that makes their shard another.
static bool has_moved(const struct job *job, const struct policy *policy) {
    if (job->shards == NULL) return false;
    uint16_t *now = shards_of(policy, job->whole, &job->whole_selection);
    const bool moved =
        now == NULL || memcmp(now, job->shards, job->selection.count * sizeof *now) != 0;
    free(now);
    return moved;
}

void job_look_up(struct job *job, const struct policy *policy, struct inventory *inventory,
                 const void *image, size_t image_len, struct buf *differs) {
    struct selection selection = {0};
    struct buf now = {0};
    struct error err;
    int rc = make_image(job, policy, inventory, &selection, &now, &err);
    if (rc == 0) rc = job_difference(image, image_len, now.data, now.len, inventory, differs, &err);
    if (rc != 0) buf_adds(differs, err.text);
    if (differs->len == 0) {
        job_see_in(job, inventory, &selection);
        job->is_moved = has_moved(job, policy);
    } else {
        selection_deinit(&selection);
    }
    if (job->whole == NULL) job_take_credentials(job, inventory);
    buf_deinit(&now);
}
