/** What figures depend on, beside what the page's template says. */

/** @type {Record<string, string[]>} parts of the view by figure */
export const NEEDS = {
  spectrum: ["y", "xs", "ys", "band", "align"],
  dimension_by_iteration: ["x", "band"],
  dimension_by_depth: ["align"],
  heatmap_difference: ["align"],
  losses: ["x", "band"],
  average_precision: ["x", "band"],
  learning_rate: ["x"],
  metric: ["x", "band"],
};

/** These depend on nothing of the cursor, only on time. */
export const METRICS = ["losses", "average_precision", "learning_rate", "metric"];
