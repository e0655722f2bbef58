"""The words that decide how a report means a term: negations, hedges, history, hypotheses, and what ends their scope.

The idea of cues with a scope to their right or left is NegEx's (Chapman 2001) and ConText's (Harkema 2009). Patterns
are those of `spelling.expand`; a longer cue hides the shorter ones in it, so that "cannot exclude" is no "exclude".
"""

KIND = "(definite|significant|interval|appreciable|obvious|acute|further|overall|substantial|new|)"
SIGN = "(evidence|sign|feature|indication|suggestion|finding|area|focus|appearance|trace|stigmata|hint)"
FULLY = (
    "(completely|entirely|confidently|definitely|definitively|fully|reliably|totally|absolutely|reasonably|)"
)
SEEN = (
    "(seen|identified|demonstrated|visualized|present|evident|detected|shown|noted|found|appreciated|visible|apparent|"
    "observed|discernible|depicted|recognized|suspected|encountered|documented|displayed|revealed|discerned)"
)
WELL = "(clearly|definitely|well|currently|now|confidently|convincingly|otherwise|yet|readily|)"
STUDY = (
    "(ct|scan|study|mri|imaging|examination|mr|ct scan|ct head|ct brain|head ct|film|"
    "ct study|report|angiogram)"
)
SHOW = (
    "(show|shows|showed|demonstrate|demonstrates|demonstrated|reveal|revealed|"
    "describe|described|report|reported|with)"
)
CHANGE = (
    "(change|changed|increase|increased|decrease|progression|worsening|deterioration|"
    "difference|improvement|growth|evolution)"
)

# Forward scope: what follows is meant; backward: what stands before; either: decided by what is next to the cue.
CUES: dict[str, tuple[str, ...]] = {
    "negation forward": (
        f"no {SIGN} (of|for|to suggest|to indicate|to support|suggesting|suggestive of|indicating|)",
        "no|not|without|nor|neither|never|nil|none of|non-|lack of|lacks|absence of|free of|free from",
        "clear of|devoid of",
        f"without {SIGN} of|no longer|nothing to suggest|nothing to indicate|rather no",
        "failed to (show|demonstrate)",
        "(negative|neg) for|fail to (show|demonstrate|reveal|identify)|fails to (show|demonstrate)",
        "unable to (identify|see)",
        "(complete|interval|full|complete interval|) resolution of|excludes|rules out|ruling out|excluding",
        "(cannot|can not|can ' t|couldn ' t|don ' t|do not) (see|identify)|(isn|aren|wasn|weren) ' t",
        "(doesn|didn) ' t (show|demonstrate|reveal)|(is|are|was) negative for",
        "does not (show|demonstrate|reveal)|do not see|did not (show|reveal)|no longer (any|) evidence of",
        "is against|argue against|argues against|no concern for|denies|denied|not suggestive of",
        "not in keeping with",
        "not consistent with|not typical (of|for)|not suspicious for|in the absence of|has excluded",
        "have excluded",
    ),
    "negation backward": (
        f"not {WELL} {SEEN}|no longer {WELL} {SEEN}|never {SEEN}|can not be (seen|identified)",
        "(isn|aren|wasn|weren) ' t (seen|identified|present|visible|demonstrated)|no longer apparent",
        "cannot be (seen|identified|demonstrated|visualized)|is not a feature|are not a feature",
        "not (visualized|demonstrable)",
        f"(is|are|was|were|has been|have been|can be|now|) {FULLY} (excluded|ruled out)|none",
        "none (seen|identified|present)",
        "(has|have|had|) (completely|fully|entirely|now|since|) (resolved|cleared|disappeared|gone)",
        "nil (seen|present)",
        ": (no|none|nil|absent|negative|not present|not seen|excluded|n)|- (no|none|nil|absent|negative)",
        "= (no|none|nil)",
        "is negative|are negative|is not the case|is not supported",
    ),
    "negation either": ("absent",),
    "hedge forward": (
        "but not (diagnostic|specific|pathognomonic|conclusive) (of|for)",
        "(may|might|could|would|can) (also|well|possibly|potentially|) (be|represent|reflect)",
        "(may|might|could|would|can) (also|well|possibly|potentially|) (indicate|suggest|be due to|have)",
        "(may|might|could) (simply|just|merely|) (relate to|be related to)",
        "(may|might|could) (simply|just|merely|) (be secondary to|be in keeping with|be consistent with)",
        "may|might|could|perhaps|potentially|possibly|potential",
        "(cannot|can not|can ' t|could not|unable to|not able to) "
        f"{FULLY} (exclude|rule out|discount|dismiss)",
        f"(difficult|hard|impossible) to {FULLY} (exclude|rule out|assess for)",
        f"(does|do|did) not {FULLY} (exclude|rule out)|not {FULLY} (excluded|ruled out) is",
        "without excluding|(cannot|can not|could not|unable to) (say|state|confirm|claim) (that|) (there is|) no",
        "(cannot|can not|could not) be (sure|certain|confident) (that|) (there is|) no|not true that there is no",
        "not (sure|certain|confident|clear|convinced) (that|) there is no|(difficult|hard) to say there is no",
        "raise|raises|raising (the|) (possibility|suspicion|question|concern) (of|for)",
        "raises (the|) (possibility|suspicion) of",
        "raise (the|) (possibility|suspicion|question|concern) (of|for|about)|possibility of|question of",
        "queried|query|qu",
        "differential (diagnosis|diagnoses|) (include|is|would include|consideration include|of|being|lies|)",
        "ddx|d / d",
        "differential (would be|consideration|rests|lies between|between)|in the differential (is|are)",
        "either|alternatively",
        "(uncertain|unclear|unsure|not certain|not clear) (if|whether|for|)|not definitely|not definite",
        "indeterminate for|? if",
        "cannot be certain|equivocal for|doubtful|borderline|unlikely (to be|to represent|to reflect|)",
        "low suspicion (of|for)",
        "rather than|as opposed to|instead of|versus a|versus|not necessarily|consider",
        "considered to",
        "equivocal (evidence of|for|)|debatable|questionable|query of|wonder (about|if)|wondering about",
        "? of|to be considered",
    ),
    "hedge relative forward": (
        "(suspicious|suspicion|concerning|concern|worrisome|worrying|alarming) (for|of|that|about|regarding)",
    ),
    "hedge either": (
        "possible|suspected|queried|questioned|equivocal|uncertain|doubtful|unlikely|unclear|conceivable",
        "suspicious|less likely|?",
    ),
    "hedge backward": (
        f"(cannot|can not|could not|can ' t|may not) be {FULLY} (excluded|ruled out|discounted|dismissed)",
        f"(cannot|can not|could not) {FULLY} be (excluded|ruled out|discounted|dismissed)",
        f"not {FULLY} (excluded|ruled out)",
        f"(difficult|hard|impossible) to {FULLY} (exclude|rule out|assess)",
        "(is|are|remain|remains|would be|) (a|another|one|the main|also a|) (possibility|differential)",
        "(is|are|remain|remains|would be|) (a|another|one|the main|also a|) (consideration|concern)",
        "(in|on|within|part of|remains in|enter) the differential (diagnosis|)",
        "(should|must|could|may|can) be considered|requires exclusion",
        "(need|needs|ought|require|requires|remains|is|has|have) to be (excluded|ruled out|considered)",
        "(should|must) be (excluded|ruled out)|(need|needs) (excluding|exclusion)",
        "might be (possible|present)|may be (possible|present)|could be (possible|present)",
        "has been (queried|questioned)",
        "is not certain|are not certain|not (entirely|completely) clear",
        "(are|is) (thought|felt|considered) unlikely|is in question",
        "of uncertain (nature|etiology|significance) ?|(is|are) (an|another) alternative",
        "not definitely (seen|present|identified)",
    ),
    "likely forward": (
        "(most|more|very|highly|) (likely|probably|presumably) (to|) (be|represent|representing)",
        "(most|more|very|highly|) (likely|probably|presumably) (to|) (reflect|reflecting|due to|)",
        "probable|presumed|presumptive",
        "(thought|felt|believed|considered|deemed|assumed) to (be|represent|reflect|relate to)",
        "appears to represent|would favor|favor|favors|favoring|favored to (be|represent)|impression of",
        "presumably|seem to be",
        "seems to be|putative|apparently|is thought|query likely|in all likelihood|could well be",
        "may well be|presumed to be",
    ),
    "likely relative forward": (
        "(suggestive|indicative|suspect) of|suggest|suggests|suggesting|suggested by|indicate|indicates",
        "indicating|indicative",
        "suggestion of|pointing (to|towards)|raising suspicion of|hint of|to suggest|to indicate",
        "impression of",
    ),
    "likely either": ("likely|probable|presumed|favored|more likely|most likely|thought likely|probably",),
    "likely backward": (
        "(is|are|seems|appears|thought|considered|felt) (most|more|very|highly|) (likely|probable)",
    ),
    "hypothesis forward": (
        "(if|whether|should) there (is|are|be|was)",
        "if",
        "(to|in order to|for|further|and) (exclude|rule out|assess for|evaluate for)",
        "(to|in order to|for|further|and) (look for|check for|screen for|search for)",
        "(to|for|in order to) (better|further|) (exclude|assess for|evaluate for)",
        "(to|for|in order to) (better|further|) (investigate for|look for|rule out|detect)",
        "(exclusion|assessment|evaluation|detection|investigation) of (possible|any|underlying)|rule out",
        "r / o|ruling out of",
        "(risk|chance|likelihood) of|at risk (of|for)|in case of|in the event of|should there be",
        "were there to be|looking for",
        "(correlate|correlation|correlated) (clinically|) (for|with sign of)|clinical correlation for",
        "(insensitive|sensitive) (for|to)",
        "(monitor|monitoring|surveillance|screening|watch|observe|prophylaxis|alert) for|whether there is",
        "sensitivity (for|to)",
        "(clinical|clinically) (suspicion|concern|question|query|suspected|suspicious) (of|for|about|)",
        "? cause|limited for|prior to|(can|may|could|might) miss",
        f"(normal|negative|unremarkable) {STUDY} (does|do|may|can|would) not (exclude|rule out)",
        "(can|may|might|could) be (normal|unremarkable|negative) (early|) in (the|) (early|first|)",
    ),
    "limit of the method backward": (
        "(will|would|may|might|can|could) not (always|necessarily|) be (resolved|visible|detected|detectable) "
        "(by|on|at|with) (unenhanced|non-contrast|non contrast|plain|routine|early|) ct",
        "(may|might|can|could) (easily|readily|) be (missed|overlooked|occult) (by|on|at|with) "
        "(unenhanced|non-contrast|non contrast|plain|routine|early|) ct",
        "(is|are) (beyond|below) the resolution of (unenhanced|plain|routine|) ct",
    ),
    "history forward": (
        "(past|medical|clinical|long|known|previous|prior) history of",
        "(remote|significant|relevant|positive|recent|with|) history of",
        "h / o|hx of|hx|pmh|pmhx|known (case|patient) of|background history of|known to have",
        "previously (diagnosed|treated) with",
        "previously diagnosed|presented with|presenting with|presents with|admitted with|referred with",
        "complaining of|known for",
        "(clinical|) (diagnosis|presentation|picture) of|treated for|under follow-up for|awaiting",
        "scheduled for|listed for",
        "patient with (a|) (known|previous)|diagnosed with|patient had",
        "clinical detail|clinical information",
    ),
    "patient forward": ("patient with",),
    "background forward": ("background of",),
    "unenhanced forward": ("(in the absence of|without) (iv|intravenous|) contrast",),
    "family anywhere": (
        "family history|family hx|fhx|fh of|familial|mother|father|sister|brother|sibling|parent|maternal",
        "paternal|relative with",
        "his (aunt|uncle|mother|father|brother)|her (aunt|uncle|mother|father|sister)|family member",
        "first degree relative",
    ),
    "earlier study forward": (f"(previous|prior|earlier|last|old|outside|recent|initial) {STUDY} {SHOW}",),
    "known forward": ("known|known previous|previous known|pre-existing",),
    "previous forward": ("previous|prior|past|earlier",),
    "neutral": (
        f"(no|without|not) {KIND} {CHANGE}|no (definite|significant|) interval {CHANGE}",
        "not significantly (altered|different)|not (insignificant|inconsiderable|negligible|inconspicuous)",
        "no (clear|definite|obvious|identifiable|underlying|structural|) (cause|reason|explanation|source) for",
        "no (obstructive|obstructing|apparent|visible|acute|mechanical|specific|compressive|other) "
        "(cause|reason|explanation|source) for",
        "(no|absent|absence of|lack of|loss of) (normal|) (flow|flow void|opacification)",
        "no (clear|definite|obvious|identifiable|underlying|) (cause|source) of (the|) (hemorrhage|bleed|bleeding)",
        "(not|no) (significantly|substantially|appreciably|obviously|much) (changed|increased|decreased)",
        "(partial|near complete) resolution",
        "(partially|partly|incompletely|mostly|mainly|largely|almost|nearly|virtually|substantially|somewhat|not) "
        "(completely|fully|entirely|) (been|) (resolved|cleared|disappeared|gone|resolution)",
        "not (been|) previously (seen|noted|described|demonstrated|identified|known|present|visible|shown)",
        "not a normal|not (seen|present|there) (previously|before)",
        "not only|not just|not uncommon|no doubt",
        "not (without|free of|free from|clear of|devoid of|negative for|absent|lacking)|no (absence|lack) of",
        "(partial|near complete|incomplete) (interval|) resolution of|no worse|no better",
        "(previous|prior|earlier|last|recent) (ct|scan|study|mri|imaging|examination|mr|film|report|image)",
        "not limited to",
        "no contrast|no iv contrast|prior to contrast",
        "no comparison|no prior",
        "no previous|without prior|previously (seen|noted|described|demonstrated|identified|known)",
        "no follow-up|with or without",
    ),
    "stop": (
        "but|however|although|though|whereas|while|whilst|except|except for|apart from|aside from",
        "other than|besides|beyond",
        "with the exception of|excepting|save for|nevertheless|nonetheless|otherwise|there is|there are|yet|despite",
        "in addition to|;",
        "there has been|there have been|only|still|on a background of|on the background of",
        "in the presence of|instead there",
    ),
    "cause": (
        "secondary to|due to|because of|related to|caused by|resulting from",
        "from (previous|old|known|prior)|as a result of|which",
        "in the setting of|given|in view of|attributable to|consequent to|explained by|to account for",
        "to explain|for which",
    ),
}
