import Foundation
import Training

/// A recipe's run with one seed or several, in one folder.
struct RecipeExecution {
  let recipe: Recipe
  /// What else is in it than in the recipe's file, but for the seed.
  let changes: RecipeChanges
  /// The first seed; nil for the recipe's own.
  let seed: UInt64?
  /// With how many seeds it runs.
  let count: Int
  let folder: String
  var isResuming = false
  let console: Console

  private var first: UInt64 { seed ?? recipe.seed?.value ?? 0 }

  private var seeds: [UInt64?] {
    count == 1 ? [seed] : (0..<UInt64(count)).map { first &+ $0 }
  }

  private func plan(
    seed: UInt64?, seedFolder: String? = nil, isTrial: Bool = false
  ) throws -> RecipePlan {
    var changes = changes
    changes.seed = seed
    return try RecipePlan(
      recipe, changes, folder: folder, seedFolder: seedFolder, isTrial: isTrial)
  }

  /// The plan for each seed.
  private func plans(isTrial: Bool) throws -> [RecipePlan] {
    try seeds.map { seed in
      try plan(
        seed: seed, seedFolder: count == 1 ? nil : "\(folder)/seed-\(seed ?? 0)",
        isTrial: isTrial)
    }
  }

  /// Runs all stages and prints what they measured.
  func run(json: Bool) throws -> RecipeResults {
    let plans = try plans(isTrial: false)
    let run = try isResuming ? RunFolder.open(folder) : RunFolder.create(at: folder)
    let lock = try RunLock(folder)
    defer { withExtendedLifetime(lock) {} }
    let text = try plan(seed: count == 1 ? seed : nil).text(
      seeds: count == 1 ? nil : (first, count))
    if isResuming {
      try run.resume(recipe: text)
    } else {
      try run.begin(
        RunRecord(
          command: "run", data: changes.data ?? recipe.folder?.value, validation: nil,
          classNames: [], model: nil), recipe: text)
    }
    let results = try run.recording { try runAll(plans, run) }
    if json {
      let report = RecipeReport(recipe, run: folder, results)
      try console.write(JSONText.encode(report, isPretty: true) + "\n")
    } else {
      try console.result(results.table)
    }
    console.note("all outputs are in \(folder)")
    run.writeReport(console)
    return results
  }

  private func runAll(_ plans: [RecipePlan], _ run: RunFolder) throws -> RecipeResults {
    let shared = plans[0].stages.count { !$0.isSeeded }
    let own = plans[0].stages.count - shared
    let runner = RecipeRun(stages: shared + own * plans.count, run, console)
    for (index, (plan, number)) in zip(plans, seeds).enumerated() {
      if let number, plans.count > 1 {
        try RunPlace.make("\(plan.folder)/seed-\(number)")
        console.note("seed \(number), \(index + 1) of \(plans.count)")
      }
      for stage in plan.stages where index == 0 || stage.isSeeded {
        try runner.run(stage, seed: stage.isSeeded ? number : nil)
      }
    }
    return RecipeResults(
      results: runner.results, expectations: recipe.expectations,
      seeds: seeds.compactMap { $0 })
  }

  /// Prints the commands and runs none.
  func show() throws {
    for (index, plan) in try plans(isTrial: true).enumerated() {
      for stage in plan.stages where index == 0 || stage.isSeeded {
        try console.result("tl \(stage.line)")
      }
    }
    console.note("the recipe is good; nothing was run")
  }
}

extension RunOptions {
  /// Runs the command that was called once for each of `seeds` seeds, as a recipe of one stage.
  ///
  /// - Parameter first: the first seed.
  /// - Returns: false where it was called for one seed, and nothing was done.
  func runSeeds(first: UInt64, _ console: Console) throws -> Bool {
    guard let count = seeds, count > 1, let call = Invocation.current else { return false }
    let name = call.name
    let text = try RecipeText(
      name: name, description: nil,
      stages: [
        .init(
          name: name, command: name,
          options: call.given.filter {
            $0.key != "seed" && !CommandOptions.places.contains($0.key)
          })
      ]
    ).yaml("A command with several seeds.")
    let recipe = try RecipeReader(path: "tl \(name)").recipe(text)
    _ = try RecipeExecution(
      recipe: recipe, changes: RecipeChanges(), seed: first, count: count,
      folder: folder ?? RunPlace.standard(name), console: console
    ).run(json: json)
    return true
  }
}
