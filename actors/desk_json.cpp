// How the desk's answers look as JSON documents.
#include "actors/desk.hpp"
#include "runtime/protocol/values.hpp"

#include <cmath>
#include <set>

namespace troupe::actors {
namespace {

Json attempt_json(const AttemptRecord& record) {
  Json out;
  out["endpoint"] = record.endpoint;
  out["model"] = record.model;
  out["cause"] = to_string(record.cause);
  out["started"] = to_iso8601(record.started);
  out["ttft_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(record.ttft).count();
  out["total_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(record.total).count();
  out["input_tokens"] = record.usage.input;
  out["output_tokens"] = record.usage.output;
  out["usd"] = record.usd;
  if (!record.error.empty()) out["error"] = record.error;
  if (!record.decision.empty()) out["decision"] = record.decision;
  return out;
}

Json answer_json(const Answer& answer) {
  Json out;
  out["text"] = answer.completion.text();
  out["stop"] = to_string(answer.completion.stop);
  out["model"] = answer.completion.model;
  out["attempts"] = Json::array();
  for (const auto& record : answer.attempts) out["attempts"].push_back(attempt_json(record));
  return out;
}

// Infinite headroom means "no limit", which JSON says by leaving it out.
void put_finite(Json& out, const char* key, double value) {
  if (std::isfinite(value) && value < 1e17) out[key] = value;
}

}  // namespace

Json to_json(const journal::RunRow& row) {
  Json out;
  out["run_id"] = row.run_id;
  out["workflow"] = row.workflow;
  out["state"] = to_string(row.state);
  out["tenant"] = row.tenant;
  out["node"] = row.node;
  out["created"] = to_iso8601(row.created);
  out["created_ms"] = row.created.ms;
  if (row.finished.ms != 0) {
    out["finished"] = to_iso8601(row.finished);
    out["seconds"] = static_cast<double>(row.finished.ms - row.created.ms) / 1e3;
  }
  out["tokens_in"] = row.tokens_in;
  out["tokens_out"] = row.tokens_out;
  out["cost_usd"] = row.usd;
  return out;
}

Json to_json(const journal::CostRow& row) {
  Json out;
  out["key"] = row.key;
  out["attempts"] = row.attempts;
  out["failed"] = row.failed;
  out["input_tokens"] = row.usage.input;
  out["output_tokens"] = row.usage.output;
  out["cache_read_tokens"] = row.usage.cache_read;
  out["cache_write_tokens"] = row.usage.cache_write;
  out["cost_usd"] = row.usd;
  out["nano_usd"] = row.nano_usd;
  out["keys"] = row.keys;
  out["unit_hours"] = row.unit_hours;
  out["unpriced"] = row.unpriced;
  out["estimated"] = row.usage.estimated;
  return out;
}

Json to_json(const policy::HealthView& view) {
  Json out;
  out["endpoint"] = view.endpoint;
  out["state"] = to_string(view.state);
  out["reason"] = to_string(view.reason);
  out["share"] = view.share;
  out["reachable"] = view.reachable;
  out["ttft_p50"] = view.ttft_p50;
  out["ttft_p90"] = view.ttft_p90;
  out["total_p50"] = view.total_p50;
  out["total_p90"] = view.total_p90;
  out["error_share"] = view.error_share;
  out["throttle_share"] = view.throttle_share;
  out["samples"] = view.samples;
  out["in_flight"] = view.in_flight;
  put_finite(out, "input_headroom", view.input_headroom);
  put_finite(out, "output_headroom", view.output_headroom);
  if (view.since.ms != 0) out["since"] = to_iso8601(view.since);
  if (view.cool_until.ms != 0) out["cool_until"] = to_iso8601(view.cool_until);
  return out;
}

Json to_json(const journal::Entry& entry, bool model_call) {
  Json out;
  out["seq"] = entry.seq;
  out["kind"] = to_string(entry.kind);
  if (!entry.step_key.empty()) out["step"] = entry.step_key;
  out["at"] = to_iso8601(entry.at);
  out["epoch"] = entry.epoch;
  if (entry.attempt != 0) out["attempt"] = entry.attempt;
  if (entry.kind == journal::Kind::result && model_call) {
    if (auto answer = protocol::from_bytes<Answer>(entry.payload)) out["answer"] = answer_json(*answer);
  } else if (entry.kind == journal::Kind::failure) {
    if (auto error = protocol::from_bytes<Error>(entry.payload)) out["error"] = to_string(error->code);
  } else if (!entry.payload.empty()) {
    auto parsed = parse_json(entry.payload);
    out["payload"] = parsed ? std::move(*parsed) : Json(entry.payload);
  }
  return out;
}

std::vector<Json> export_history(const std::vector<journal::Entry>& entries) {
  std::set<std::string> model_calls;
  std::vector<Json> out;
  for (const auto& entry : entries) {
    if (entry.kind == journal::Kind::intent) model_calls.insert(entry.step_key);
    out.push_back(to_json(entry, model_calls.contains(entry.step_key)));
  }
  return out;
}

std::vector<std::string> reported_models(const std::vector<journal::Entry>& entries) {
  std::set<std::string> model_calls, models;
  for (const auto& entry : entries) {
    if (entry.kind == journal::Kind::intent) model_calls.insert(entry.step_key);
    if (entry.kind != journal::Kind::result || !model_calls.contains(entry.step_key)) continue;
    auto answer = protocol::from_bytes<Answer>(entry.payload);
    if (answer && !answer->completion.model.empty()) models.insert(answer->completion.model);
  }
  return {models.begin(), models.end()};
}

}  // namespace troupe::actors
