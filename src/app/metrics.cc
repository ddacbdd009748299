#include "app/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

namespace siegel::app {
namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                              0.05,   0.1,    0.2,    0.5,   1,     2,     5,    10};
const Histogram::BucketBoundaries kEvents = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
const Histogram::BucketBoundaries kErasure = {0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 2, 10, 60, 3600, 86400};

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& events = prometheus::BuildCounter()
                                                        .Name("siegel_events_total")
                                                        .Help("Events written since the start, by type")
                                                        .Register(registry);
  Histogram& batch = prometheus::BuildHistogram()
                         .Name("siegel_batch_events")
                         .Help("Events per synced group")
                         .Register(registry)
                         .Add({}, kEvents);
  Histogram& sync = prometheus::BuildHistogram()
                        .Name("siegel_sync_seconds")
                        .Help("Time to write and sync a group")
                        .Register(registry)
                        .Add({}, kSeconds);
  prometheus::Gauge& queue = gauge("siegel_queue_commands", "Commands that wait for the writer");
  prometheus::Gauge& lag = prometheus::BuildGauge()
                               .Name("siegel_projection_lag_events")
                               .Help("Events that the read models do not show yet")
                               .Register(registry)
                               .Add({{"projection", "records"}});
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("siegel_http_requests_total")
                                                          .Help("HTTP answers by route and status")
                                                          .Register(registry);
  prometheus::Family<Histogram>& request_seconds = prometheus::BuildHistogram()
                                                       .Name("siegel_http_request_seconds")
                                                       .Help("Time from the first byte of a request to its answer")
                                                       .Register(registry);
  prometheus::Gauge& erasure_open =
      gauge("siegel_erasure_open_seconds", "Age of the oldest erasure that is asked for and not effective");
  Histogram& erasure = prometheus::BuildHistogram()
                           .Name("siegel_time_to_guaranteed_erasure_seconds")
                           .Help("Time from the request of an erasure until its keys were destroyed")
                           .Register(registry)
                           .Add({}, kErasure);
  prometheus::Gauge& size = gauge("siegel_ledger_size", "Events in the ledger");
  prometheus::Gauge& read_only = gauge("siegel_read_only", "1 while the ledger takes no writes");
  prometheus::Gauge& evidence =
      gauge("siegel_evidence_copies", "Copies of damaged logs that are kept in the data directory");
  prometheus::Gauge& evidence_oldest = gauge("siegel_evidence_oldest_seconds", "Age of the oldest of these copies");
  prometheus::Gauge& kafka_lag = prometheus::BuildGauge()
                                     .Name("siegel_kafka_lag_events")
                                     .Help("Events not published yet; 0 while Kafka is off")
                                     .Register(registry)
                                     .Add({{"topic", "siegel.events"}});
  prometheus::Gauge& overdue =
      gauge("siegel_acknowledgements_overdue", "Erasure notices that a consumer did not acknowledge in time");
  prometheus::Gauge& roots_away = gauge(
      "siegel_root_stores_away", "Root stores that cannot be read, written or healed: no erasure ends without them");
  prometheus::Gauge& roots_healed =
      gauge("siegel_root_stores_healed", "Damaged root stores that were written anew since the stores were opened");
  prometheus::Gauge& erasures_fail =
      gauge("siegel_erasures_fail", "1 while an erasure fails of something else than a place that is away");
  prometheus::Gauge& lock_record_behind =
      gauge("siegel_lock_record_behind_events",
            "Events that the lock record does not know of, because it cannot be written; 0 while it can");
  prometheus::Gauge& replicas_away =
      gauge("siegel_key_replicas_away", "Required copies of the keys that do not answer or are not up to date");
  prometheus::Gauge& store_damaged =
      gauge("siegel_store_damaged", "1 since a read or write met damage in the files of ledger or keys");
  // Families look their labels up by map and lock: remember what was made.
  std::mutex mutex;
  std::map<std::pair<std::string_view, int>, prometheus::Counter*> by_answer;
  std::map<std::string_view, Histogram*> by_route;
  std::map<EventType, prometheus::Counter*> by_type;

  prometheus::Gauge& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::finished(const http::Finished& request) {
  const auto route = request.route.empty() ? std::string_view("transport") : request.route;
  prometheus::Counter* counter = nullptr;
  Histogram* histogram = nullptr;
  {
    const std::lock_guard lock(impl_->mutex);
    auto& one = impl_->by_answer[{route, request.status}];
    if (one == nullptr)
      one = &impl_->requests.Add({{"route", std::string(route)}, {"status", std::to_string(request.status)}});
    auto& two = impl_->by_route[route];
    if (two == nullptr) two = &impl_->request_seconds.Add({{"route", std::string(route)}}, kSeconds);
    counter = one;
    histogram = two;
  }
  counter->Increment();
  histogram->Observe(request.seconds);
}

void Metrics::group(std::size_t events, std::chrono::nanoseconds sync) {
  impl_->batch.Observe(static_cast<double>(events));
  impl_->sync.Observe(std::chrono::duration<double>(sync).count());
}

void Metrics::event(EventType type) {
  const std::lock_guard lock(impl_->mutex);
  auto& counter = impl_->by_type[type];
  if (counter == nullptr) counter = &impl_->events.Add({{"type", std::string(siegel::name_of(type))}});
  counter->Increment();
}

void Metrics::erased(double seconds) { impl_->erasure.Observe(seconds); }

std::string Metrics::text(const Now& now) {
  impl_->queue.Set(static_cast<double>(now.queued));
  impl_->size.Set(static_cast<double>(now.size));
  impl_->lag.Set(static_cast<double>(now.size - std::min(now.size, now.projected)));
  impl_->read_only.Set(now.read_only ? 1 : 0);
  impl_->erasure_open.Set(now.erasure_open_seconds);
  impl_->evidence.Set(static_cast<double>(now.evidence_copies));
  impl_->evidence_oldest.Set(now.evidence_oldest_seconds);
  impl_->roots_away.Set(static_cast<double>(now.keys.roots_away));
  impl_->roots_healed.Set(static_cast<double>(now.keys.roots_healed));
  impl_->erasures_fail.Set(now.erasures_fail ? 1 : 0);
  impl_->lock_record_behind.Set(static_cast<double>(now.lock_record_behind));
  impl_->store_damaged.Set(now.store_damaged ? 1 : 0);
  impl_->replicas_away.Set(static_cast<double>(now.keys.replicas_away));
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace siegel::app
