# Fits formulas with logarithms and interactions with mgcv and writes what a port must reproduce: one line per model, term
# and row of the table, each with the number of the formula and the method.
# usage: Rscript mgcv_logarithms.R results.csv out_prefix
suppressPackageStartupMessages(library(mgcv))
args <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(args[1])
script <- sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))
script <- gsub("~+~", " ", script, fixed = TRUE)  # R writes spaces of the path so
formulas <- readLines(file.path(dirname(script), "log_formulas.txt"))
# k.check of mgcv 1.8-41 fails at te(log(x), z): it is asked of the same model with the logarithms as columns
logarithm <- "(log|log10|log2)\\((\\w+)\\)"
for (call in unique(unlist(regmatches(formulas, gregexpr(logarithm, formulas))))) {
  rows[[gsub(logarithm, "\\1.\\2", call)]] <- eval(parse(text = call), rows)
}
models <- terms <- effects <- NULL
for (number in seq_along(formulas)) for (method in c("GCV.Cp", "REML")) {
  m <- gam(as.formula(paste("mse ~", formulas[number])), data = rows, method = method)
  s <- summary(m)
  key <- data.frame(formula = number, method = sub(".Cp", "", method, fixed = TRUE))
  models <- rbind(models, cbind(key, criterion = as.numeric(m$gcv.ubre), scale = m$sig2, edf_total = sum(m$edf),
                                deviance_explained = s$dev.expl, coefficients = length(coef(m))))
  if (length(m$smooth)) {
    same <- gam(as.formula(paste("mse ~", gsub(logarithm, "\\1.\\2", formulas[number]))), data = rows, method = method)
    checks <- k.check(same, n.rep = 10)
    concurved <- concurvity(m)[, rownames(s$s.table), drop = FALSE]
    terms <- rbind(terms, cbind(key, term = rownames(s$s.table), edf = s$s.table[, "edf"], ref_df = s$s.table[, "Ref.df"],
                                F = s$s.table[, "F"], p = s$s.table[, "p-value"], k_index = checks[, "k-index"],
                                worst = concurved["worst", ]))
  }
  predicted <- predict(m, type = "terms", se.fit = TRUE)
  for (term in colnames(predicted$fit)) {
    effects <- rbind(effects, cbind(key, term = term, row = seq_len(nrow(rows)), effect = signif(predicted$fit[, term], 8),
                                    se = signif(predicted$se.fit[, term], 8)))
  }
}
for (name in c("models", "terms", "effects")) {
  write.csv(get(name), paste0(args[2], "_", name, ".csv"), row.names = FALSE)
}
