#!/bin/sh
# Checks what Prometheus and Grafana are given: the configuration, the rules and their tests, and that
# the dashboard can be imported as it is.
# usage: tests/rules.sh   (make rules, from the top folder)
set -eu

promtool check config spec/prometheus/prometheus.yml
promtool test rules spec/prometheus/rules_test.yml

# Grafana takes almost anything, and shows an empty panel for it.
dashboard=spec/grafana/dashboard.json
# shellcheck disable=SC2016 # these are jq's variables, and Grafana's
problems=$(jq -r '
    def overlap: .[0].x < .[1].x + .[1].w and .[1].x < .[0].x + .[0].w
             and .[0].y < .[1].y + .[1].h and .[1].y < .[0].y + .[0].h;
    def own: .datasource.uid != "${DS_PROMETHEUS}";
    [.panels[] | select(.type != "row")] as $panels
    | (.panels | group_by(.id)[] | select(length > 1) | "two panels have the id \(.[0].id)"),
      ([.panels | combinations(2)][] | select(.[0].id < .[1].id and (map(.gridPos) | overlap))
       | "\(.[0].title) lies over \(.[1].title)"),
      ($panels[] | select(.gridPos.x + .gridPos.w > 24) | "\(.title) is wider than the page"),
      ($panels[] | select(.targets | length == 0) | "\(.title) asks nothing"),
      ($panels[] | select((.description // "") == "") | "\(.title) does not say what it shows"),
      (($panels[], .annotations.list[], .templating.list[])
       | select(own or any(.targets[]?; own)) | "\(.title // .name) has a data source of its own"),
      (select(all(.__inputs[]; .name != "DS_PROMETHEUS")) | "the import does not ask for DS_PROMETHEUS"),
      (select(.id != null) | "id belongs to one Grafana: it must be null")
    ' "$dashboard")
if [ -n "$problems" ]; then
    echo "$problems" | sed "s|^|$dashboard: |" >&2
    exit 1
fi
echo "$dashboard: $(jq '[.. | .expr? // empty] | length' "$dashboard") queries"
