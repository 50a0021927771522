#include "runtime/tools/calculator.hpp"

#include "runtime/tools/arguments.hpp"
#include "runtime/tools/arithmetic.hpp"

namespace troupe::tools {
namespace {

class Calculator final : public Tool {
 public:
  const ToolSpec& spec() const override { return spec_; }
  void call(const ToolContext&, const JsonText& input,
            std::function<void(Result<ToolOutput>)> done) override {
    Arguments arguments(input);
    auto expression = arguments.text("expression");
    if (auto fits = arguments.check(); !fits) return done(std::unexpected(fits.error()));
    auto number = evaluate(expression);
    done(number ? ToolOutput{.text = to_string(*number)} : tool_error(number.error().what));
  }

 private:
  const ToolSpec spec_{
      "calculator",
      "Works out an arithmetic expression: + - * / % ^ ( ), pi, e, abs avg ceil cos exp floor ln log log2 "
      "max min "
      "pow round sin sqrt sum tan. Whole numbers are exact. No units, no thousands separators.",
      {R"({"type":"object","properties":{"expression":{"type":"string"}},"required":["expression"],)"
       R"("additionalProperties":false})"}};
};

}  // namespace

ToolPtr make_calculator() { return std::make_shared<Calculator>(); }

}  // namespace troupe::tools
