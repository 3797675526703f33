#include "orchestrator/api_metrics.h"

#include "common/http_stream.h"

static enum http_piece next_piece(void *scrape, struct buf *out) {
    return metrics_scrape_next(scrape, out) ? HTTP_PIECE_MORE : HTTP_PIECE_LAST;
}

static void free_scrape(void *scrape) {
    metrics_scrape_free(scrape);
}

static const struct http_source scrape_source = {next_piece, free_scrape};

void api_metrics_answer(struct http_request *r, const struct metrics *metrics,
                        const struct metrics_now *now) {
    enum prom_format format = prom_negotiate(http_accept(r));
    http_answer_stream(r, 200, prom_content_type(format), &scrape_source,
                       metrics_scrape_new(metrics, format, now));
}
