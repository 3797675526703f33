// What was kept of a job, and how it is compared with today's inventory.
#include "common/policy_hash.h"
#include "common/program.h"
#include "orchestrator/job_image.h"
#include "orchestrator/job_look_up.h"
#include "orchestrator/recover_internal.h"

#include <stdlib.h>

void recovery_free_left(struct left *left) {
    free(left->image);
    free(left);
}

void recovery_say_paused(const struct job *job, const char *why) {
    program_say("orchestrator: job %s is paused: %s; POST /jobs/%s/resume/ lets it go on", job->id,
                why, job->id);
}

void recovery_look_up_in(const struct recovery *r, const struct left *left, struct job *job,
                         struct inventory *inventory, const struct error *why,
                         struct buf *differs) {
    if (inventory == NULL)
        buf_addf(differs, "the inventory: %s", why->text);
    else
        job_look_up(job, r->config.policy, inventory, left->image, left->image_len, differs);
}

static const struct left *left_of(const struct recovery *r, uint64_t number) {
    const struct left *left = r->jobs;
    while (left != NULL && left->number != number)
        left = left->next;
    return left != NULL && left->image != NULL ? left : NULL;
}

// The job goes on in the inventory that it was paused in, or not at all; one that was paused by
// this process has that still.
void recovery_look_up_again(const struct recovery *r, struct job *job, struct inventory *inventory,
                            const struct error *why, struct buf *differs) {
    const struct left *left = left_of(r, job->number);
    struct buf image = {0};
    struct left own = {0};
    if (left == NULL) {
        job_image_write(&image, job->inventory, &job->selection, &job->grouping,
                        policy_hash(r->config.policy));
        own = (struct left){.number = job->number, .image = image.data, .image_len = image.len};
        left = &own;
    }
    recovery_look_up_in(r, left, job, inventory, why, differs);
    buf_deinit(&image);
}
