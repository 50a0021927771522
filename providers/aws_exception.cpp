#include "providers/aws_exception.hpp"

#include "providers/text.hpp"

#include <array>

namespace troupe::providers {
namespace {

struct ExceptionRow {
  std::string_view name;
  Errc code;
};

// In lower case, without "exception" at the end.
constexpr std::array kExceptions{
    ExceptionRow{"throttling", Errc::rate_limited},
    ExceptionRow{"modelnotready", Errc::model_not_ready},
    ExceptionRow{"serviceunavailable", Errc::overloaded},
    ExceptionRow{"internalserver", Errc::transient_server},
    ExceptionRow{"internalfailure", Errc::transient_server},
    ExceptionRow{"modeltimeout", Errc::timeout},
    ExceptionRow{"modelerror", Errc::transient_server},
    ExceptionRow{"modelstreamerror", Errc::stream_broken},
    ExceptionRow{"validation", Errc::bad_request},
    ExceptionRow{"servicequotaexceeded", Errc::quota_exhausted},
    ExceptionRow{"accessdenied", Errc::permission},
    ExceptionRow{"resourcenotfound", Errc::not_found},
    ExceptionRow{"conflict", Errc::bad_request},
    ExceptionRow{"expiredtoken", Errc::auth},
    ExceptionRow{"unrecognizedclient", Errc::auth},
    ExceptionRow{"invalidsignature", Errc::auth},
    ExceptionRow{"incompletesignature", Errc::auth},
    ExceptionRow{"missingauthenticationtoken", Errc::auth},
    ExceptionRow{"requestexpired", Errc::auth},
    ExceptionRow{"requesttimetooskewed", Errc::auth},
    ExceptionRow{"notauthorized", Errc::permission},
    ExceptionRow{"optinrequired", Errc::permission},
    ExceptionRow{"ftuformnotfilled", Errc::permission},
    ExceptionRow{"internaldependency", Errc::transient_server},
    ExceptionRow{"internalstreamfailure", Errc::transient_server},
    ExceptionRow{"validationerror", Errc::bad_request},
};

}  // namespace

std::string bare_exception_name(std::string_view type) {
  type = type.substr(0, type.find_first_of(",:"));
  if (auto hash = type.find('#'); hash != std::string_view::npos) type.remove_prefix(hash + 1);
  return std::string(type);
}

std::optional<Errc> class_of_exception(std::string_view name) {
  auto lower = to_lower(name);
  if (lower.ends_with("exception")) lower.resize(lower.size() - std::string_view("exception").size());
  for (const auto& row : kExceptions)
    if (row.name == lower) return row.code;
  return std::nullopt;
}

}  // namespace troupe::providers
