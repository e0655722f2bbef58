"""A few reports in other languages, as an export of a hospital holds them by mistake."""

LANGUAGES: dict[str, dict[str, tuple[str, ...]]] = {
    "German": {
        "frame": ("Fragestellung: Ausschluss einer Blutung. Befund: {body} Mit freundlichen Grüßen.",),
        "absent": (
            "Kein Nachweis einer [-hemorrhage|intrakraniellen Blutung].",
            "Keine [-fracture|Fraktur].",
        ),
        "hemorrhage": ("Akute [+hemorrhage|intrakranielle Blutung].",),
        "ischemia": ("[+ischemia|Hirninfarkt] im Mediastromgebiet.",),
    },
    "French": {
        "frame": ("Scanner cérébral sans injection. {body} Examen réalisé aux urgences.",),
        "absent": (
            "Pas d'[-hemorrhage|hémorragie intracrânienne].",
            "Absence de [-fracture|fracture] du crâne.",
        ),
        "hemorrhage": ("[+hemorrhage|Hématome] intracérébral récent.",),
        "ischemia": ("Lésion d'[+ischemia|accident ischémique] constitué.",),
    },
    "Spanish": {
        "frame": ("TC de cráneo sin contraste. {body} Se informa al médico de urgencias.",),
        "absent": (
            "No se observa [-hemorrhage|sangrado intracraneal].",
            "Sin [-fracture|fracturas] craneales.",
        ),
        "hemorrhage": ("[+hemorrhage|Hemorragia intracraneal] aguda.",),
        "ischemia": ("[+ischemia|Infarto] cerebral establecido.",),
    },
}
