#include "actors/desk_schedules.hpp"

#include "actors/schedule_view.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>

namespace troupe::actors {

void schedules_list(const DeskServices& services, const Json& input, const Reply& reply) {
  ScheduleQuestion question{{get_int(input, "at_ms", services.clock->wall().ms)},
                            get_string(input, "schedule"),
                            get_string(input, "tenant"),
                            static_cast<std::size_t>(std::max<std::int64_t>(1, get_int(input, "count", 1)))};
  static const std::vector<Scheduled> none;
  auto told = schedules_json(services.schedules ? *services.schedules : none, question, services.journal);
  if (!told) return reply(std::unexpected(told.error()));
  reply(dump_json(*told));
}

}  // namespace troupe::actors
