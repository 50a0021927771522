#include "runtime/tools/sql.hpp"

#include "runtime/base/overloaded.hpp"
#include "runtime/tools/arguments.hpp"
#include "runtime/tools/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::tools {
namespace {

constexpr std::size_t kTablesShownBytesMax = 4000;

Json json_of(const journal::SandboxValue& value) {
  return std::visit(Overloaded{[](std::monostate) { return Json(); },
                               [](const journal::BlobSize& blob) {
                                 return Json{{"blob_bytes", blob.bytes}};
                               },
                               [](const auto& plain) { return Json(plain); }},
                    value);
}

ToolOutput shown_rows(const journal::SandboxRows& answer) {
  Json rows = Json::array();
  for (const auto& row : answer.rows) {
    Json values = Json::array();
    for (const auto& value : row) values.push_back(json_of(value));
    rows.push_back(std::move(values));
  }
  Json out = {{"columns", answer.columns}, {"rows", std::move(rows)}};
  if (answer.cut) out["cut"] = true;
  return {.text = dump_json(out)};
}

std::string table_names(journal::Sandbox& sandbox) {
  auto names =
      sandbox.query("SELECT name FROM sqlite_master WHERE type IN ('table','view') ORDER BY name LIMIT 100");
  std::string out;
  for (const auto& row : names ? names->rows : std::vector<std::vector<journal::SandboxValue>>())
    if (out.size() < kTablesShownBytesMax)
      out += (out.empty() ? "" : ", ") + to_valid_utf8(std::get<std::string>(row.at(0)));
  return out;
}

class SqlTool final : public Tool {
 public:
  SqlTool(const SqlConfig& config, journal::Sandbox sandbox)
      : sandbox_(std::move(sandbox)),
        spec_{
            config.name,
            fmt::format("Asks an SQLite database one SELECT. Tables: {}. Their columns stand in "
                        "sqlite_schema(name, sql). At most {} rows are shown.",
                        table_names(sandbox_), config.limits.rows_max),
            {R"({"type":"object","properties":{"query":{"type":"string","description":"one SELECT statement"}},)"
             R"("required":["query"],"additionalProperties":false})"}},
        worker_(config.waiting_max) {}
  const ToolSpec& spec() const override { return spec_; }

  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    Arguments arguments(input);
    auto query = arguments.text("query");
    if (auto fits = arguments.check(); !fits) return done(std::unexpected(fits.error()));
    bool taken = worker_.post([this, query = std::move(query), done](bool cancelled) {
      done(cancelled ? fail(Errc::cancelled, "the tool is being closed") : answer(query));
    });
    if (!taken) done(fail(Errc::refused, "too many queries wait already"));
  }

 private:
  Result<ToolOutput> answer(const std::string& query) {
    auto rows = sandbox_.query(query);
    return rows ? shown_rows(*rows) : tool_error(rows.error().what);
  }

  journal::Sandbox sandbox_;  // of the worker's thread
  const ToolSpec spec_;
  Worker worker_;
};

}  // namespace

Result<ToolPtr> make_sql_tool(const SqlConfig& config, Clock& clock) {
  auto sandbox = journal::Sandbox::open(config.path, config.limits, clock);
  if (!sandbox) return std::unexpected(std::move(sandbox.error()));
  return std::make_shared<SqlTool>(config, std::move(*sandbox));
}

}  // namespace troupe::tools
