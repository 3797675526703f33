// Whether a job is the same in today's inventory, under today's policy, is seen by its image: it is
// made anew from its request, and must be what the store has.
#include "common/policy_hash.h"
#include "common/program.h"
#include "orchestrator/job_difference.h"
#include "orchestrator/recover_internal.h"
#include "orchestrator/select.h"

static int make_image(const struct recovery *r, const struct job *job, struct inventory *inventory,
                      struct selection *selection, struct buf *image, struct error *err) {
    struct grouping grouping;
    int rc = select_from_text(job->task, job->request, r->config.policy, inventory, selection,
                              &grouping, err);
    if (rc != 0) return rc;
    job_image_write(image, inventory, selection, &grouping, policy_hash(r->config.policy));
    grouping_deinit(&grouping);
    return 0;
}

void recovery_look_up(const struct recovery *r, const struct left *left, struct job *job,
                      struct inventory *inventory, struct buf *differs) {
    struct selection selection = {0};
    struct buf image = {0};
    struct error err;
    int rc = make_image(r, job, inventory, &selection, &image, &err);
    if (rc == 0)
        rc = job_difference(left->image, left->image_len, image.data, image.len, inventory, differs,
                            &err);
    if (rc != 0) buf_adds(differs, err.text);
    if (differs->len == 0)
        job_see_in(job, inventory, &selection);
    else
        selection_deinit(&selection);
    if (job->whole == NULL) job_take_credentials(job, inventory);
    buf_deinit(&image);
}

void recovery_say_paused(const struct job *job, const char *why) {
    program_say("orchestrator: job %s is paused: %s; POST /jobs/%s/resume/ lets it go on", job->id,
                why, job->id);
}
