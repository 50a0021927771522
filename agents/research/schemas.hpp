// The shapes of answers. Every property is required and none may be added: the strict subset that OpenAI and
// Bedrock enforce (WIRE); bounds on counts and lengths are checked in code, because that subset has none.
#pragma once

#include <string_view>

namespace troupe::research {

inline constexpr std::string_view kPlanSchema =
    R"({"type":"object","properties":{)"
    R"("kind":{"type":"string","enum":["straightforward","depth_first","breadth_first"]},)"
    R"("approach":{"type":"string"},"tasks":{"type":"array","items":{"type":"object","properties":{)"
    R"("objective":{"type":"string"},"output_format":{"type":"string"},)"
    R"("tools":{"type":"array","items":{"type":"string"}},)"
    R"("sources":{"type":"array","items":{"type":"string"}},)"
    R"("avoid":{"type":"array","items":{"type":"string"}},)"
    R"("boundaries":{"type":"string"},"background":{"type":"string"},)"
    R"("starts":{"type":"array","items":{"type":"string"}},"priority":{"type":"integer"}},)"
    R"("required":["objective","output_format","tools","sources","avoid","boundaries","background","starts",)"
    R"("priority"],"additionalProperties":false}}},)"
    R"("required":["kind","approach","tasks"],"additionalProperties":false})";

inline constexpr std::string_view kFindingsSchema =
    R"({"type":"object","properties":{"findings":{"type":"array","items":{"type":"object","properties":{)"
    R"("text":{"type":"string"},"source":{"type":"string"},"quote":{"type":"string"}},)"
    R"("required":["text","source","quote"],"additionalProperties":false}},)"
    R"("sufficient":{"type":"boolean"},"missing":{"type":"string"}},)"
    R"("required":["findings","sufficient","missing"],"additionalProperties":false})";

inline constexpr std::string_view kReviewSchema =
    R"({"type":"object","properties":{"sufficient":{"type":"boolean"},"missing":{"type":"string"},)"
    R"("tasks":{"type":"array","items":{"type":"object","properties":{)"
    R"("objective":{"type":"string"},"output_format":{"type":"string"},)"
    R"("tools":{"type":"array","items":{"type":"string"}},)"
    R"("boundaries":{"type":"string"},"background":{"type":"string"},)"
    R"("starts":{"type":"array","items":{"type":"string"}}},)"
    R"("required":["objective","output_format","tools","boundaries","background","starts"],)"
    R"("additionalProperties":false}}},)"
    R"("required":["sufficient","missing","tasks"],"additionalProperties":false})";

inline constexpr std::string_view kReportSchema =
    R"({"type":"object","properties":{"found":{"type":"boolean"},"answer":{"type":"string"},)"
    R"("report":{"type":"string"}},"required":["found","answer","report"],"additionalProperties":false})";

inline constexpr std::string_view kCritiqueSchema =
    R"({"type":"object","properties":{"verdicts":{"type":"array","items":{"type":"object","properties":{)"
    R"("claim":{"type":"integer"},"supported":{"type":"boolean"}},)"
    R"("required":["claim","supported"],"additionalProperties":false}}},)"
    R"("required":["verdicts"],"additionalProperties":false})";

inline constexpr std::string_view kCitationsSchema =
    R"({"type":"object","properties":{"report":{"type":"string"}},"required":["report"],)"
    R"("additionalProperties":false})";

}  // namespace troupe::research
