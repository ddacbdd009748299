#include "projector/all_projections.h"

#include "erasures/erasures.h"
#include "history/history.h"
#include "imports/imports.h"
#include "record_types/record_types.h"
#include "records/records.h"
#include "registries/registries.h"
#include "subjects/subjects.h"

namespace siegel::projector {

std::vector<std::unique_ptr<views::Projection>> all_projections() {
  std::vector<std::unique_ptr<views::Projection>> all;
  all.push_back(std::make_unique<views::RegistryRows>());
  all.push_back(std::make_unique<views::RecordTypes>());
  all.push_back(std::make_unique<views::History>());
  all.push_back(std::make_unique<views::Records>());
  all.push_back(std::make_unique<views::Subjects>());
  all.push_back(std::make_unique<views::Erasures>());
  all.push_back(std::make_unique<views::Imports>());
  return all;
}

}  // namespace siegel::projector
