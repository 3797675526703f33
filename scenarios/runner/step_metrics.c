// The step `metrics`. A change is counted from the last step that looked at the series, so every
// look is remembered by the stage, for each program; a series that nobody has looked at yet was 0.
// A look that fails is none: eventually() tries again, and a change counted from the last try would
// pass in time whatever it is.
#include "common/client.h"
#include "common/scrape.h"
#include "scenarios/runner/expect.h"
#include "scenarios/runner/step.h"

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static double looked_before(struct stage *s, enum program_name name, const char *key) {
    pthread_mutex_lock(&s->lock);
    const cJSON *before = get(s->looked[name], key);
    double value = before == NULL ? 0 : before->valuedouble;
    pthread_mutex_unlock(&s->lock);
    return value;
}

static void remember(struct stage *s, enum program_name name, const cJSON *looks) {
    const cJSON *look;
    pthread_mutex_lock(&s->lock);
    cJSON_ArrayForEach(look, looks) {
        cJSON_DeleteItemFromObjectCaseSensitive(s->looked[name], look->string);
        cJSON_AddNumberToObject(s->looked[name], look->string, look->valuedouble);
    }
    pthread_mutex_unlock(&s->lock);
}

struct scraped {
    enum program_name name;
    const char *text;
};

static void check_series(struct stage *s, const cJSON *expected, const struct scraped *scraped,
                         bool change, cJSON *looks, struct buf *differences) {
    const cJSON *one;
    cJSON_ArrayForEach(one, expected) {
        double value;
        struct buf what = {0};
        bool found = scrape_sum(scraped->text, one->string, &value);
        buf_addf(&what, "%s%s", change ? "change of " : "", one->string);
        if (!found && !change)
            expect_differ(differences, "%s: there is no such series", one->string);
        else
            expect_number(one,
                          change ? value - looked_before(s, scraped->name, one->string) : value,
                          what.data, differences);
        cJSON_AddNumberToObject(looks, one->string, value);
        buf_deinit(&what);
    }
}

static void play(struct stage *s, const cJSON *metrics, struct buf *differences) {
    char url[512];
    struct buf scrape = {0};
    struct error err;
    double value;
    const enum program_name name = step_program(metrics, "of");
    stage_url(s, name, "/metrics/", url);
    const struct client_request request = {.method = "GET", .url = url};
    buf_adds(&scrape, "");
    if (client_expect(&request, 200, &scrape, &err) != 0) {
        expect_differ(differences, "%s", err.text);
        buf_deinit(&scrape);
        return;
    }
    cJSON *looks = cJSON_CreateObject();
    const struct scraped scraped = {name, scrape.data};
    check_series(s, get(metrics, "changes"), &scraped, true, looks, differences);
    check_series(s, get(metrics, "values"), &scraped, false, looks, differences);
    const cJSON *absent;
    cJSON_ArrayForEach(absent, get(metrics, "absent")) {
        if (scrape_sum(scrape.data, absent->valuestring, &value))
            expect_differ(differences, "%s: the series exists, but should not",
                          absent->valuestring);
    }
    if (differences->len == 0) remember(s, name, looks);
    cJSON_Delete(looks);
    buf_deinit(&scrape);
}

const struct step_kind step_metrics = {
    .name = "metrics",
    .help = "Compares series of a scrape",
    .example = "\n"
               "      changes: {failed_tasks_total: 1}\n"
               "      values: {'orchestrator_hosts_total{result=\"skipped\"}': {at_least: 1}}\n",
    .checks = true,
    .play = play,
};
