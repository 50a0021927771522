// Calls a tool and waits for what it says.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/tool.hpp>

#include <future>
#include <memory>
#include <string>
#include <utility>

namespace troupe::tools {

inline Result<ToolOutput> call(Tool& tool, std::string input, const ToolContext& context = {}) {
  auto promise = std::make_shared<std::promise<Result<ToolOutput>>>();
  auto told = promise->get_future();
  tool.call(context, {std::move(input)},
            [promise](Result<ToolOutput> out) { promise->set_value(std::move(out)); });
  return told.get();
}

/// What it says as JSON; null when it failed.
inline Json call_json(Tool& tool, std::string input, const ToolContext& context = {}) {
  auto out = call(tool, std::move(input), context);
  auto parsed = parse_json(out ? out->text : "null");
  return parsed ? *parsed : Json();
}

}  // namespace troupe::tools
